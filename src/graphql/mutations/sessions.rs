//! Signing up, signing in, staying signed in, signing out.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::super::global_id::GlobalId;
use super::super::misses::Misses;
use super::super::nullable::nullable;
use super::super::scalars::DateTime;
use super::super::types::{Session, User, UserError, told};
use crate::domain::accounts::Device;
use crate::error::{Code, Refusal};
use crate::identity::{Credentials, Identity, SignedIn};
use crate::principal::{Principal, Visit};

/// Who wants an account.
#[derive(InputObject)]
pub struct RegisterInput {
    /// Where mail reaches them.
    email: String,
    /// 10 to 128 characters that are not easily guessed.
    password: String,
    /// The name that others see: 1 to 50 characters.
    display_name: String,
    /// The refresh token goes into an HttpOnly cookie and not into the payload.
    #[graphql(default)]
    use_cookie: bool,
}

/// Who signs in.
#[derive(InputObject)]
pub struct LoginInput {
    /// The account's address, without regard to case.
    email: String,
    /// Its password.
    password: String,
    /// The refresh token goes into an HttpOnly cookie and not into the payload.
    #[graphql(default)]
    use_cookie: bool,
}

/// What prolongs a session.
#[derive(InputObject)]
pub struct RefreshSessionInput {
    /// The refresh token; without one, the cookie's.
    refresh_token: Option<String>,
}

/// Which session ends.
#[derive(InputObject)]
pub struct RevokeSessionInput {
    /// The session's `id`.
    session_id: ID,
}

/// Which sessions end.
#[derive(InputObject)]
pub struct RevokeAllSessionsInput {
    /// Whether this one goes on.
    #[graphql(default_with = "Some(false)")]
    keep_current: Option<bool>,
}

/// A session, and the tokens that are its.
#[derive(SimpleObject, Default)]
pub struct SessionPayload {
    /// Who is signed in.
    user: Option<User>,
    /// The session.
    session: Option<Session>,
    /// Send it as `Authorization: Bearer …`.
    access_token: Option<String>,
    /// What prolongs the session, once; absent where it is in a cookie.
    refresh_token: Option<String>,
    /// When the access token ends.
    expires_at: Option<DateTime>,
    /// What is wrong with the input.
    #[graphql(tag = "most=10")]
    user_errors: Vec<UserError>,
}

/// Whether the session has ended.
#[derive(SimpleObject)]
pub struct LogoutPayload {
    /// Whether it has.
    success: bool,
    /// What stood in the way.
    #[graphql(tag = "most=10")]
    user_errors: Vec<UserError>,
}

/// Which session has ended.
#[derive(SimpleObject)]
pub struct RevokeSessionPayload {
    /// Its `id`.
    revoked_session_id: Option<ID>,
    /// What is wrong with the input.
    #[graphql(tag = "most=10")]
    user_errors: Vec<UserError>,
}

/// How many sessions have ended.
#[derive(SimpleObject)]
pub struct RevokeAllSessionsPayload {
    /// So many.
    revoked_count: i32,
    /// What is wrong with the input.
    #[graphql(tag = "most=10")]
    user_errors: Vec<UserError>,
}

/// The cookie that the refresh token is kept in where that is asked for. By its prefix, browsers take it over TLS or from
/// this machine only, and give it to this host alone.
const COOKIE: &str = "__Host-dualcaster-refresh";

fn set_cookie(context: &Context<'_>, value: &str, seconds: i64) {
    let cookie = format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; Secure; SameSite=Strict");
    context.append_http_header("set-cookie", cookie);
}

fn device(context: &Context<'_>, in_cookie: bool) -> Result<Device> {
    let visit = context.data::<Visit>()?;
    Ok(Device { user_agent: visit.user_agent.clone(), ip_address: visit.address.clone(), in_cookie })
}

/// A cookie goes to whoever asks from the browser's own pages, so who asks for one must be such a page.
fn check_page(context: &Context<'_>) -> Result<(), Refusal> {
    match context.data_opt::<Visit>() {
        Some(visit) if visit.is_own_page && visit.takes_cookies => Ok(()),
        Some(visit) if visit.is_own_page => {
            Err(Refusal::new(Code::Forbidden, "Here no cookie can be set: ask by POST."))
        }
        _ => Err(Refusal::new(Code::Forbidden, "Pages of other sites may not use the cookie.")),
    }
}

fn payload(
    context: &Context<'_>,
    outcome: crate::error::Result<SignedIn>,
    also: &[Code],
) -> Result<SessionPayload> {
    let (signed_in, user_errors) = told(outcome, also)?;
    let Some(SignedIn { user, session, access_token, access_expires_at, refresh_token }) = signed_in else {
        return Ok(SessionPayload { user_errors, ..SessionPayload::default() });
    };
    let in_cookie = session.in_cookie;
    if in_cookie {
        set_cookie(context, &refresh_token, (session.expires_at - session.last_used_at).num_seconds());
    }
    Ok(SessionPayload {
        user: Some(User::signed_in(user)),
        session: Some(session.into()),
        access_token: Some(access_token),
        refresh_token: (!in_cookie).then_some(refresh_token),
        expires_at: Some(DateTime(access_expires_at)),
        user_errors,
    })
}

/// Sessions.
#[derive(Default)]
pub struct Sessions;

#[Object]
impl Sessions {
    /// Makes an account and signs it in. A link that verifies the address is sent there.
    async fn register(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who wants an account.")] input: RegisterInput,
    ) -> Option<Result<SessionPayload>> {
        nullable(async {
            let RegisterInput { email, password, display_name, use_cookie } = input;
            if use_cookie {
                check_page(context)?;
            }
            let device = device(context, use_cookie)?;
            let credentials = Credentials { email, password };
            let outcome = context.data::<Identity>()?.register(credentials, &display_name, device).await;
            payload(context, outcome, &[]).map(Some)
        })
        .await
    }

    /// Signs in. An unknown address and a wrong password are answered alike.
    async fn login(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who signs in.")] input: LoginInput,
    ) -> Option<Result<SessionPayload>> {
        nullable(async {
            let LoginInput { email, password, use_cookie } = input;
            if use_cookie {
                check_page(context)?;
            }
            let device = device(context, use_cookie)?;
            let outcome = context.data::<Identity>()?.login(Credentials { email, password }, device).await;
            payload(context, outcome, &[]).map(Some)
        })
        .await
    }

    /// Exchanges a refresh token for a new pair. A refresh token works once: sent again within 10 s, as after a lost answer,
    /// it gives the same pair; later, or with a child already used, it revokes its whole session.
    async fn refresh_session(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What prolongs the session.")] input: RefreshSessionInput,
    ) -> Option<Result<SessionPayload>> {
        nullable(async {
            let also = [Code::TokenExpired, Code::TokenRevoked];
            let token = match input.refresh_token {
                Some(token) => token,
                None => {
                    check_page(context)?;
                    let visit = context.data::<Visit>()?;
                    visit.cookie(COOKIE).unwrap_or_default().to_owned()
                }
            };
            let outcome = context.data::<Identity>()?.refresh(&token).await;
            payload(context, outcome, &also).map(Some)
        })
        .await
    }

    /// Ends the caller's session: its access token and its refresh token stop working at once, on every server.
    async fn logout(&self, context: &Context<'_>) -> Option<Result<LogoutPayload>> {
        nullable(async {
            let (user, session) = context.data::<Principal>()?.signed_in()?;
            let outcome = context.data::<Identity>()?.end_session(user.id, session).await;
            let (done, user_errors) = told(outcome, &[])?;
            if context.data::<Visit>()?.cookie(COOKIE).is_some() {
                set_cookie(context, "", 0);
            }
            Ok(Some(LogoutPayload { success: done.is_some(), user_errors }))
        })
        .await
    }

    /// Ends one of the caller's sessions.
    async fn revoke_session(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RevokeSessionInput,
    ) -> Option<Result<RevokeSessionPayload>> {
        nullable(async {
            let user = context.data::<Principal>()?.writer()?;
            let session = GlobalId::session(&input.session_id);
            let outcome = context.data::<Identity>()?.end_session(user.id, session).await;
            Misses::note_of(context, &outcome);
            let (done, user_errors) = told(outcome, &[])?;
            let revoked_session_id = done.map(|()| GlobalId::Session(session).encode());
            Ok(Some(RevokeSessionPayload { revoked_session_id, user_errors }))
        })
        .await
    }

    /// Ends every session of the caller, or every other one.
    async fn revoke_all_sessions(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whether this one goes on.")] input: RevokeAllSessionsInput,
    ) -> Option<Result<RevokeAllSessionsPayload>> {
        nullable(async {
            let (user, session) = context.data::<Principal>()?.signed_in()?;
            let keep = input.keep_current.unwrap_or(false).then_some(session);
            let outcome = context.data::<Identity>()?.end_sessions(user.id, keep).await;
            let (count, user_errors) = told(outcome, &[])?;
            let revoked_count = count.and_then(|count| count.try_into().ok()).unwrap_or(0);
            Ok(Some(RevokeAllSessionsPayload { revoked_count, user_errors }))
        })
        .await
    }
}
