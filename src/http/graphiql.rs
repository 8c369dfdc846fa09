//! `/graphiql`: the page for asking by hand. It is in the binary whole, so that it works without a network and shows no
//! other host who reads it.

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::app::App;

/// The files of `clients/graphiql/dist`, by their path in it. `build.rs` makes the table; it is empty where the page
/// could not be made.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/graphiql_assets.rs"));

const NOT_BUILT: &str = "This build has no GraphiQL page: install Node.js 20.19 or newer and npm, touch build.rs, and \
                         build again; the API at /graphql needs none of it.\n";

/// What the page may do: load what this server has, and ask this server.
///
/// - `style-src 'unsafe-inline'`: the editor places every line by a `style` attribute and writes its colours into a
///   `<style>` element, neither of which can carry a nonce. Scripts get no such exception.
/// - `img-src data:`: the editor's style sheet has its few small pictures within.
/// - `connect-src 'self'` is the same host's `ws:` and `wss:` too.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);

/// The page names its files, so it is asked for each time.
const ASKED_EACH_TIME: HeaderValue = HeaderValue::from_static("no-cache");

/// The names in `assets/` have a hash of what is in them.
const NEVER_CHANGES: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

pub fn routes() -> Router<App> {
    Router::new()
        .route("/graphiql", get(page))
        .route("/graphiql/", get(page))
        .route("/graphiql/{*path}", get(asset))
        .route_layer(map_response(guarded))
}

async fn page() -> Response {
    file("index.html")
        .unwrap_or_else(|| ([(header::CACHE_CONTROL, ASKED_EACH_TIME)], NOT_BUILT).into_response())
}

async fn asset(Path(path): Path<String>) -> Response {
    file(&path).unwrap_or_else(|| (StatusCode::NOT_FOUND, "GraphiQL has no such file.\n").into_response())
}

fn file(path: &str) -> Option<Response> {
    let (_, bytes) = FILES.iter().find(|(name, _)| *name == path)?;
    let cached = if path.starts_with("assets/") { NEVER_CHANGES } else { ASKED_EACH_TIME };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type(path))),
        (header::CACHE_CONTROL, cached),
    ];
    Some((headers, *bytes).into_response())
}

/// By the end of a name; a browser is told not to guess.
fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("md") => "text/markdown; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("woff") => "font/woff",
        Some("ttf") => "font/ttf",
        _ => "application/octet-stream",
    }
}

/// On every answer: a worker obeys the policy of its own file, not the page's.
async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_type_of_every_file() {
        for (path, _) in FILES {
            assert_ne!(content_type(path), "application/octet-stream", "{path}");
        }
    }

    #[tokio::test]
    async fn answers_with_the_page_or_says_how_to_get_it() {
        let response = page().await;
        assert_eq!(response.status(), StatusCode::OK);
        let kind = if FILES.is_empty() { "text/plain; charset=utf-8" } else { "text/html; charset=utf-8" };
        assert_eq!(response.headers()[header::CONTENT_TYPE], kind);
    }

    #[tokio::test]
    async fn has_no_file_that_is_not_in_the_table() {
        for path in ["assets/none.js", "../Cargo.toml", "index.html/", ""] {
            assert_eq!(asset(Path(path.to_owned())).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }
}
