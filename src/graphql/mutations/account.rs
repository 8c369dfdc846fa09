//! The account itself.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::super::global_id::GlobalId;
use super::super::nullable::nullable;
use super::super::types::{User, UserError, told};
use crate::identity::{Identity, ProfileChange};
use crate::principal::{Principal, Visit};

/// A new password.
#[derive(InputObject)]
pub struct ChangePasswordInput {
    /// The password so far.
    current_password: String,
    /// 10 to 128 characters that are not easily guessed.
    new_password: String,
}

/// What came by mail.
#[derive(InputObject)]
pub struct VerifyEmailInput {
    /// The token of the link.
    token: String,
}

/// Who has forgotten a password.
#[derive(InputObject)]
pub struct RequestPasswordResetInput {
    /// The account's address.
    email: String,
}

/// A new password in place of one that was forgotten.
#[derive(InputObject)]
pub struct ResetPasswordInput {
    /// The token of the link that came by mail.
    token: String,
    /// 10 to 128 characters that are not easily guessed.
    new_password: String,
}

/// What changes of a profile; what is absent stays.
#[derive(InputObject)]
pub struct UpdateProfileInput {
    /// The name that others see: 1 to 50 characters.
    display_name: Option<String>,
    /// A new address: it counts once its owner has followed the link that is sent there.
    email: Option<String>,
    /// Needed for a new address.
    current_password: Option<String>,
}

/// Who leaves.
#[derive(InputObject)]
pub struct DeleteAccountInput {
    /// The account's password, once more.
    password: String,
}

/// The account with its new password.
#[derive(SimpleObject)]
pub struct ChangePasswordPayload {
    /// The account.
    user: Option<User>,
    /// How many other sessions have ended.
    revoked_count: i32,
    /// What is wrong with the input.
    #[graphql(tag = "most=10")]
    user_errors: Vec<UserError>,
}

/// The account whose address is verified.
#[derive(SimpleObject)]
pub struct VerifyEmailPayload {
    /// The account.
    user: Option<User>,
    /// What is wrong with the input.
    #[graphql(tag = "most=10")]
    user_errors: Vec<UserError>,
}

/// The same answer whether or not the address is known.
#[derive(SimpleObject)]
pub struct RequestPasswordResetPayload {
    /// Whether it was heard.
    success: bool,
    /// What is wrong with the input.
    #[graphql(tag = "most=10")]
    user_errors: Vec<UserError>,
}

/// The account with its new password.
#[derive(SimpleObject)]
pub struct ResetPasswordPayload {
    /// The account.
    user: Option<User>,
    /// What is wrong with the input.
    #[graphql(tag = "most=10")]
    user_errors: Vec<UserError>,
}

/// The profile as it is now.
#[derive(SimpleObject)]
pub struct UpdateProfilePayload {
    /// The account.
    user: Option<User>,
    /// What is wrong with the input.
    #[graphql(tag = "most=10")]
    user_errors: Vec<UserError>,
}

/// The account that is gone.
#[derive(SimpleObject)]
pub struct DeleteAccountPayload {
    /// Its `id`.
    deleted_id: Option<ID>,
    /// What is wrong with the input.
    #[graphql(tag = "most=10")]
    user_errors: Vec<UserError>,
}

/// Accounts.
#[derive(Default)]
pub struct Account;

#[Object]
impl Account {
    /// Sets a new password and ends every other session of the caller.
    async fn change_password(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The old password and the new one.")] input: ChangePasswordInput,
    ) -> Option<Result<ChangePasswordPayload>> {
        nullable(async {
            let (user, session) = context.data::<Principal>()?.signed_in()?;
            let identity = context.data::<Identity>()?;
            let ChangePasswordInput { current_password, new_password } = input;
            let outcome = identity.change_password(user.id, session, current_password, new_password).await;
            let (done, user_errors) = told(outcome, &[])?;
            let (user, count) = done.map_or((None, 0), |(user, count)| (Some(user.into()), count));
            let revoked_count = count.try_into().unwrap_or(i32::MAX);
            Ok(Some(ChangePasswordPayload { user, revoked_count, user_errors }))
        })
        .await
    }

    /// Shows that an address is its user's, by the token that was sent there.
    async fn verify_email(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What came by mail.")] input: VerifyEmailInput,
    ) -> Option<Result<VerifyEmailPayload>> {
        nullable(async {
            let network = context.data::<Visit>()?.network();
            let outcome = context.data::<Identity>()?.verify_email(&input.token, &network).await;
            let (user, user_errors) = told(outcome, &[])?;
            Ok(Some(VerifyEmailPayload { user: user.map(Into::into), user_errors }))
        })
        .await
    }

    /// Sends a link for a new password to an address that has an account. The answer is the same whether or not it has.
    async fn request_password_reset(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who has forgotten a password.")] input: RequestPasswordResetInput,
    ) -> Option<Result<RequestPasswordResetPayload>> {
        nullable(async {
            let network = context.data::<Visit>()?.network();
            let outcome = context.data::<Identity>()?.request_password_reset(&input.email, &network).await;
            let (done, user_errors) = told(outcome, &[])?;
            Ok(Some(RequestPasswordResetPayload { success: done.is_some(), user_errors }))
        })
        .await
    }

    /// Sets a new password and ends every session of the user.
    async fn reset_password(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What came by mail, and the new password.")] input: ResetPasswordInput,
    ) -> Option<Result<ResetPasswordPayload>> {
        nullable(async {
            let network = context.data::<Visit>()?.network();
            let ResetPasswordInput { token, new_password } = input;
            let outcome = context.data::<Identity>()?.reset_password(&token, new_password, &network).await;
            let (user, user_errors) = told(outcome, &[])?;
            Ok(Some(ResetPasswordPayload { user: user.map(Into::into), user_errors }))
        })
        .await
    }

    /// Changes the profile. A new email address needs the password, and counts once it is verified.
    async fn update_profile(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What changes.")] input: UpdateProfileInput,
    ) -> Option<Result<UpdateProfilePayload>> {
        nullable(async {
            let (user, _) = context.data::<Principal>()?.signed_in()?;
            let UpdateProfileInput { display_name, email, current_password } = input;
            let change = ProfileChange { display_name, email, current_password };
            let outcome = context.data::<Identity>()?.update_profile(user.id, change).await;
            let (user, user_errors) = told(outcome, &[])?;
            Ok(Some(UpdateProfilePayload { user: user.map(Into::into), user_errors }))
        })
        .await
    }

    /// Deletes the account and all that belongs to it, at once.
    async fn delete_account(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The password, once more.")] input: DeleteAccountInput,
    ) -> Option<Result<DeleteAccountPayload>> {
        nullable(async {
            let (user, _) = context.data::<Principal>()?.signed_in()?;
            let outcome = context.data::<Identity>()?.delete_account(user.id, input.password).await;
            let (done, user_errors) = told(outcome, &[])?;
            let deleted_id = done.map(|()| GlobalId::User(user.id).encode());
            Ok(Some(DeleteAccountPayload { deleted_id, user_errors }))
        })
        .await
    }
}
