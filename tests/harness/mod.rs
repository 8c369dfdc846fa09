//! A database a test, a server over it, and the few words in which tests speak to both.

mod database;
mod files;
mod proxy;
mod requests;
mod server;

pub use database::{Content, Store, TestDatabase, market};
pub use files::{Printing, Series, TestFile, all_prices, all_printings, scryfall_cards};
pub use proxy::Proxy;
pub use requests::{Part, RESPONSE, form, post, query, refusal, send};
pub use server::{Answered, TestApp, TestClock};

use std::panic::AssertUnwindSafe;

use dualcaster::ingest::{Progress, Stage};
use futures_util::FutureExt;

/// Makes one test a store of each function: `fn name(app: TestApp)` becomes `name::on_postgres` and `name::on_sqlite`.
macro_rules! on_both_stores {
    ($content:ident: $($(#[$meta:meta])* async fn $name:ident($app:ident: TestApp) $body:block)*) => {
        $(
            async fn $name($app: $crate::harness::TestApp) $body

            mod $name {
                #[test]
                fn on_postgres() {
                    $crate::harness::run($crate::harness::Store::Postgres, $crate::harness::Content::$content, super::$name);
                }

                #[test]
                fn on_sqlite() {
                    $crate::harness::run($crate::harness::Store::Sqlite, $crate::harness::Content::$content, super::$name);
                }
            }
        )*
    };
}

pub(crate) use on_both_stores;

/// Makes four tests of each function: on each store, without Redis and with it.
macro_rules! everywhere {
    ($content:ident: $($(#[$meta:meta])* async fn $name:ident($app:ident: TestApp) $body:block)*) => {
        $(
            async fn $name($app: $crate::harness::TestApp) $body

            mod $name {
                use $crate::harness::{Content, Store, run, run_with_redis};

                #[test]
                fn on_postgres() {
                    run(Store::Postgres, Content::$content, super::$name);
                }

                #[test]
                fn on_sqlite() {
                    run(Store::Sqlite, Content::$content, super::$name);
                }

                #[test]
                fn on_postgres_with_redis() {
                    run_with_redis(Store::Postgres, Content::$content, super::$name);
                }

                #[test]
                fn on_sqlite_with_redis() {
                    run_with_redis(Store::Sqlite, Content::$content, super::$name);
                }
            }
        )*
    };
}

pub(crate) use everywhere;

/// Runs a test's body on a server over a database of its own, and removes both, whatever becomes of the body.
pub fn run<F: Future<Output = ()>>(store: Store, content: Content, body: impl FnOnce(TestApp) -> F) {
    runtime().block_on(async {
        let database = TestDatabase::new(store, content).await;
        run_on(&database, body).await;
        database.remove().await;
    });
}

/// The same with a Redis, of which the test has a part for itself.
pub fn run_with_redis<F: Future<Output = ()>>(
    store: Store,
    content: Content,
    body: impl FnOnce(TestApp) -> F,
) {
    runtime().block_on(async {
        let database = TestDatabase::new(store, content).await.with_redis();
        run_on(&database, body).await;
        database.remove().await;
    });
}

async fn run_on<F: Future<Output = ()>>(database: &TestDatabase, body: impl FnOnce(TestApp) -> F) {
    let app = TestApp::start(database).await;
    let outcome = AssertUnwindSafe(body(app.clone())).catch_unwind().await;
    app.stop().await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// How often a test draws; more by hand.
pub fn draws(usual: usize) -> usize {
    std::env::var("DUALCASTER_TEST_DRAWS").ok().and_then(|draws| draws.parse().ok()).unwrap_or(usual)
}

/// Progress that nobody watches.
pub struct Unwatched;

impl Progress for Unwatched {
    fn at(&self, _: Stage, _: u64, _: Option<u64>) {}
}
