//! Discord accounts that users link.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use super::super::nullable::nullable;
use super::super::scalars::DateTime;
use super::super::types::{User, UserError, told};
use crate::identity::Identity;
use crate::principal::{Principal, Role};

/// Whose code it is.
#[derive(InputObject)]
pub struct CreateDiscordLinkCodeInput {
    /// The Discord account's id: digits.
    discord_id: String,
}

/// What links an account.
#[derive(InputObject)]
pub struct LinkDiscordAccountInput {
    /// The code that the bot gave, without regard to case.
    code: String,
}

/// A code, for the bot to hand on.
#[derive(SimpleObject)]
pub struct CreateDiscordLinkCodePayload {
    /// What the user types in.
    code: Option<String>,
    /// Until when.
    expires_at: Option<DateTime>,
    /// What is wrong with the input.
    #[graphql(tag = "most=10")]
    user_errors: Vec<UserError>,
}

/// The account with its link.
#[derive(SimpleObject)]
pub struct LinkDiscordAccountPayload {
    /// The account.
    user: Option<User>,
    /// What is wrong with the input.
    #[graphql(tag = "most=10")]
    user_errors: Vec<UserError>,
}

/// The account without its link.
#[derive(SimpleObject)]
pub struct UnlinkDiscordAccountPayload {
    /// The account.
    user: Option<User>,
    /// What is wrong with the input.
    #[graphql(tag = "most=10")]
    user_errors: Vec<UserError>,
}

/// Links with Discord.
#[derive(Default)]
pub struct Discord;

#[Object]
impl Discord {
    /// A short-lived code with which a user links a Discord account. For the bot only.
    async fn create_discord_link_code(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose code it is.")] input: CreateDiscordLinkCodeInput,
    ) -> Option<Result<CreateDiscordLinkCodePayload>> {
        nullable(async {
            context.data::<Principal>()?.with_role(&[Role::Bot])?;
            let outcome = context.data::<Identity>()?.create_link_code(&input.discord_id).await;
            let (made, user_errors) = told(outcome, &[])?;
            let (code, expires_at) = made.map(|(code, until)| (code, DateTime(until))).unzip();
            Ok(Some(CreateDiscordLinkCodePayload { code, expires_at, user_errors }))
        })
        .await
    }

    /// Links the Discord account that a code is of with the caller's account.
    async fn link_discord_account(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The code that the bot gave.")] input: LinkDiscordAccountInput,
    ) -> Option<Result<LinkDiscordAccountPayload>> {
        nullable(async {
            let user = context.data::<Principal>()?.writer()?;
            let outcome = context.data::<Identity>()?.link_discord(user, &input.code).await;
            let (user, user_errors) = told(outcome, &[])?;
            Ok(Some(LinkDiscordAccountPayload { user: user.map(Into::into), user_errors }))
        })
        .await
    }

    /// Takes the link with a Discord account away.
    async fn unlink_discord_account(
        &self,
        context: &Context<'_>,
    ) -> Option<Result<UnlinkDiscordAccountPayload>> {
        nullable(async {
            let user = context.data::<Principal>()?.writer()?;
            let outcome = context.data::<Identity>()?.unlink_discord(user.id).await;
            let (user, user_errors) = told(outcome, &[])?;
            Ok(Some(UnlinkDiscordAccountPayload { user: user.map(Into::into), user_errors }))
        })
        .await
    }
}
