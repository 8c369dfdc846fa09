//! What form of answer a caller accepts.

use axum::http::{HeaderMap, HeaderValue, header};

/// The forms there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MediaType {
    /// `application/graphql-response+json`: statuses tell how the request fared.
    GraphqlResponse,
    /// The same with the statuses of the newest draft.
    Draft,
    /// `application/json`, which older clients ask for: whatever the GraphQL part of the server answers is 200.
    Json,
    /// `text/event-stream`: an event for each answer.
    EventStream,
}

impl MediaType {
    /// The form that the caller likes best; of two that it likes alike, the one it names first. A caller that says
    /// nothing gets plain JSON, as does one that takes anything.
    pub fn accepted(headers: &HeaderMap) -> Option<Self> {
        let mut best: Option<(Self, f32)> = None;
        let mut said = false;
        for value in headers.get_all(header::ACCEPT) {
            // One that is no text names no form that we know.
            for range in value.to_str().unwrap_or("unreadable").split(',') {
                said = true;
                let mut parts = range.split(';').map(str::trim);
                let form = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                    "application/graphql-response+json" => Self::GraphqlResponse,
                    "application/json" | "application/*" | "*/*" => Self::Json,
                    "text/event-stream" => Self::EventStream,
                    _ => continue,
                };
                let mut weight = 1.0;
                let mut in_utf8 = true;
                for parameter in parts {
                    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
                    match name.trim().to_ascii_lowercase().as_str() {
                        "q" => weight = value.trim().parse().unwrap_or(0.0),
                        "charset" => in_utf8 = is_utf8(value),
                        _ => {}
                    }
                }
                if in_utf8 && weight > 0.0 && best.is_none_or(|(_, most)| weight > most) {
                    best = Some((form, weight));
                }
            }
        }
        if said { best.map(|(form, _)| form) } else { Some(Self::Json) }
    }

    pub fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::GraphqlResponse | Self::Draft => "application/graphql-response+json; charset=utf-8",
            // What is refused before there are events is plain JSON.
            Self::Json | Self::EventStream => "application/json; charset=utf-8",
        })
    }
}

/// Whether a `charset` names the one that JSON has.
pub(super) fn is_utf8(charset: &str) -> bool {
    let charset = charset.trim().trim_matches('"');
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_liked_form_is_chosen() {
        use MediaType::{EventStream, GraphqlResponse, Json};
        for (accept, chosen) in [
            (&[][..], Some(Json)),
            (&["*/*"][..], Some(Json)),
            (&["application/*;q=0.1"][..], Some(Json)),
            (&["application/json, application/graphql-response+json"][..], Some(Json)),
            (&["application/graphql-response+json, application/json;q=0.9"][..], Some(GraphqlResponse)),
            (
                &["application/json;q=0.5", "Application/GraphQL-Response+JSON; charset=UTF-8"][..],
                Some(GraphqlResponse),
            ),
            (&["text/html, application/xhtml+xml, */*;q=0.8"][..], Some(Json)),
            (&["text/event-stream"][..], Some(EventStream)),
            (
                &["application/graphql-response+json, application/json, text/event-stream"][..],
                Some(GraphqlResponse),
            ),
            (&["text/html"][..], None),
            (&["application/json;charset=iso-8859-1"][..], None),
            (&["application/json;q=0"][..], None),
            (&[""][..], None),
        ] {
            let mut headers = HeaderMap::new();
            for value in accept {
                headers.append(header::ACCEPT, HeaderValue::from_static(value));
            }
            assert_eq!(MediaType::accepted(&headers), chosen, "{accept:?}");
        }
    }
}
