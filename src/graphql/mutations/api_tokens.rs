//! Tokens for users' scripts.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::super::global_id::GlobalId;
use super::super::misses::Misses;
use super::super::nullable::nullable;
use super::super::scalars::DateTime;
use super::super::types::{ApiToken, UserError, told};
use crate::domain::accounts::NewApiToken;
use crate::identity::Identity;
use crate::principal::Principal;

/// A token to be.
#[derive(InputObject)]
pub struct CreateApiTokenInput {
    /// What the user calls it: 1 to 100 characters.
    name: String,
    /// Whether it changes nothing.
    #[graphql(default = true)]
    read_only: bool,
    /// When it ends; it does not where this is absent.
    expires_at: Option<DateTime>,
}

/// Which token ends.
#[derive(InputObject)]
pub struct RevokeApiTokenInput {
    /// The token's `id`.
    id: ID,
}

/// The token is shown here and never again.
#[derive(SimpleObject)]
pub struct CreateApiTokenPayload {
    /// What is known of it.
    api_token: Option<ApiToken>,
    /// The token itself: send it as `Authorization: Bearer …`.
    token: Option<String>,
    /// What is wrong with the input.
    #[graphql(tag = "most=10")]
    user_errors: Vec<UserError>,
}

/// Which token has ended.
#[derive(SimpleObject)]
pub struct RevokeApiTokenPayload {
    /// Its `id`.
    revoked_id: Option<ID>,
    /// What is wrong with the input.
    #[graphql(tag = "most=10")]
    user_errors: Vec<UserError>,
}

/// Tokens.
#[derive(Default)]
pub struct ApiTokens;

#[Object]
impl ApiTokens {
    /// Makes a token for the caller's scripts.
    async fn create_api_token(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What it may do, and for how long.")] input: CreateApiTokenInput,
    ) -> Option<Result<CreateApiTokenPayload>> {
        nullable(async {
            let (user, session) = context.data::<Principal>()?.signed_in()?;
            let CreateApiTokenInput { name, read_only, expires_at } = input;
            let new = NewApiToken { name, read_only, expires_at: expires_at.map(|time| time.0) };
            let outcome = context.data::<Identity>()?.create_api_token(user.id, session, new).await;
            let (made, user_errors) = told(outcome, &[])?;
            let (api_token, token) = made.map(|(row, token)| (row.into(), token.text())).unzip();
            Ok(Some(CreateApiTokenPayload { api_token, token, user_errors }))
        })
        .await
    }

    /// Ends one of the caller's tokens at once.
    async fn revoke_api_token(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RevokeApiTokenInput,
    ) -> Option<Result<RevokeApiTokenPayload>> {
        nullable(async {
            let user = context.data::<Principal>()?.writer()?;
            let id = GlobalId::api_token(&input.id);
            let outcome = context.data::<Identity>()?.revoke_api_token(user.id, id).await;
            Misses::note_of(context, &outcome);
            let (done, user_errors) = told(outcome, &[])?;
            let revoked_id = done.map(|()| GlobalId::ApiToken(id).encode());
            Ok(Some(RevokeApiTokenPayload { revoked_id, user_errors }))
        })
        .await
    }
}
