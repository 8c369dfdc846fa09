//! A schema with what the product's own has not yet: uploads, subscriptions, and callers who say who they are.

use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_graphql::{Context, Object, Result, Schema, SchemaBuilder, SimpleObject, Subscription};
use dualcaster::error::{Code, Refusal};
use dualcaster::graphql::Upload;
use dualcaster::principal::{Caller, Credential, Identify, Principal, Role, UserCaller};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, Stream, StreamExt};
use sha2::{Digest, Sha256};
use tokio::sync::Notify;
use uuid::Uuid;

/// Told when a stream of `flood` or of `torrent` is let go.
pub static FLOOD_ENDED: Notify = Notify::const_new();
pub static TORRENT_ENDED: Notify = Notify::const_new();
/// Whether `change` was executed.
pub static CHANGED: AtomicBool = AtomicBool::new(false);
/// Files that resolvers have read.
pub static RECEIVED: AtomicUsize = AtomicUsize::new(0);

pub fn schema() -> SchemaBuilder<Query, Mutation, Streams> {
    Schema::build(Query, Mutation, Streams)
}

pub struct Query;

#[Object]
impl Query {
    async fn hello(&self) -> &str {
        "world"
    }

    async fn who_am_i(&self, context: &Context<'_>) -> Option<String> {
        name_of(context.data_opt::<Principal>()?)
    }

    async fn panics(&self) -> bool {
        on_purpose()
    }
}

#[expect(clippy::panic, reason = "it is there to be caught")]
fn on_purpose() -> bool {
    panic!("on purpose")
}

pub struct Mutation;

#[derive(SimpleObject)]
struct ReceivedFile {
    filename: String,
    size_bytes: u64,
    sha256: String,
}

#[Object]
impl Mutation {
    async fn change(&self) -> bool {
        CHANGED.store(true, Ordering::Relaxed);
        true
    }

    async fn panics(&self) -> bool {
        on_purpose()
    }

    async fn upload(&self, context: &Context<'_>, file: Upload) -> Result<ReceivedFile> {
        read(context, file)
    }

    #[graphql(tag = "most=3")]
    async fn upload_all(&self, context: &Context<'_>, files: Vec<Upload>) -> Result<Vec<ReceivedFile>> {
        files.into_iter().map(|file| read(context, file)).collect()
    }
}

fn read(context: &Context<'_>, file: Upload) -> Result<ReceivedFile> {
    let file = file.received(context)?;
    RECEIVED.fetch_add(1, Ordering::Relaxed);
    let mut content = Vec::new();
    file.open()?.read_to_end(&mut content)?;
    let sha256 = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(ReceivedFile { filename: file.filename.clone(), size_bytes: file.size_bytes, sha256 })
}

pub struct Streams;

#[Subscription]
impl Streams {
    async fn count(&self, to: i32) -> impl Stream<Item = i32> {
        stream::iter(1..=to)
    }

    async fn forever(&self) -> impl Stream<Item = i32> {
        stream::iter(0..).take(1).chain(stream::pending())
    }

    async fn flood(&self) -> impl Stream<Item = String> {
        without_end(&FLOOD_ENDED)
    }

    async fn torrent(&self) -> impl Stream<Item = String> {
        without_end(&TORRENT_ENDED)
    }

    /// After its first item.
    async fn panics(&self) -> impl Stream<Item = bool> {
        stream::iter([false, true]).map(|is_second| is_second && on_purpose())
    }

    async fn fails(&self) -> Result<stream::Empty<i32>> {
        Err("not today".into())
    }
}

/// Tells when it is let go.
fn without_end(ended: &'static Notify) -> impl Stream<Item = String> {
    struct Told(&'static Notify);
    impl Drop for Told {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    let told = Told(ended);
    stream::repeat("x".repeat(100_000)).inspect(move |_| {
        let _ = &told;
    })
}

/// A name of up to 16 letters as a user's id, and back.
fn user_named(name: &str) -> Caller {
    let mut bytes = [0; 16];
    for (byte, letter) in bytes.iter_mut().zip(name.bytes()) {
        *byte = letter;
    }
    let by = Credential::ApiToken { id: Uuid::nil(), read_only: false };
    Caller::User(UserCaller { id: Uuid::from_bytes(bytes), role: Role::User, by })
}

fn name_of(principal: &Principal) -> Option<String> {
    let id = principal.user_id()?;
    let name = id.as_bytes().iter().take_while(|byte| **byte != 0).map(|byte| char::from(*byte));
    Some(name.collect())
}

/// Believes everyone who says `Bearer NAME`, but for `wrong`; `brief` holds for 300 ms. Of `away` it can't know, and to
/// `stuck` it says nothing.
pub struct Named;

impl Identify for Named {
    fn identify<'a>(&'a self, authorization: Option<&'a str>) -> BoxFuture<'a, Result<Principal, Refusal>> {
        let name = authorization.and_then(|given| given.strip_prefix("Bearer "));
        if name == Some("stuck") {
            return std::future::pending().boxed();
        }
        let principal = match (authorization, name) {
            (None, _) => Ok(Principal { may_introspect: true, ..Principal::default() }),
            (Some(_), None | Some("wrong")) => {
                Err(Refusal::new(Code::TokenRevoked, "This token does not hold."))
            }
            (Some(_), Some("away")) => Err(Refusal::new(Code::Overloaded, "We can't answer just now.")),
            (Some(_), Some(name)) => Ok(Principal {
                caller: user_named(name),
                may_introspect: true,
                may_explain: false,
                lasts: (name == "brief").then(|| Duration::from_millis(300)),
            }),
        };
        std::future::ready(principal).boxed()
    }
}
