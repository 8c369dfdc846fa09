//! Where two answers differ.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::Result;

/// Letters shown before and behind the place where two texts part.
const CONTEXT: usize = 40;

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: &'a RawValue,
}

/// The first difference between the `data` of two answers, in a sentence. Order and spelling count: what a server
/// writes in another order, it has not written for the same price.
///
/// # Errors
/// An answer that is no JSON object with `data`.
pub fn first_difference(server: &[u8], yardstick: &[u8]) -> Result<Option<String>> {
    let [server, yardstick] =
        [serde_json::from_slice::<Answer>(server)?, serde_json::from_slice::<Answer>(yardstick)?];
    let (server, yardstick) = (server.data.get(), yardstick.data.get());
    if server == yardstick {
        return Ok(None);
    }
    let of_values = of_values("data", &serde_json::from_str(server)?, &serde_json::from_str(yardstick)?);
    Ok(Some(of_values.unwrap_or_else(|| of_texts(server, yardstick))))
}

fn of_values(path: &str, server: &Value, yardstick: &Value) -> Option<String> {
    match (server, yardstick) {
        (Value::Array(left), Value::Array(right)) => {
            let item = left.iter().zip(right).enumerate();
            let mut item =
                item.filter_map(|(place, (left, right))| of_values(&format!("{path}[{place}]"), left, right));
            item.next().or_else(|| {
                let (left, right) = (left.len(), right.len());
                (left != right)
                    .then(|| format!("{path}: {left} items from the server, {right} from the yardstick"))
            })
        }
        (Value::Object(left), Value::Object(right)) => {
            let mut names: Vec<&String> = left.keys().chain(right.keys()).collect();
            names.sort_unstable();
            names.dedup();
            names.into_iter().find_map(|name| match (left.get(name), right.get(name)) {
                (Some(left), Some(right)) => of_values(&format!("{path}.{name}"), left, right),
                (Some(_), None) => Some(format!("{path}.{name}: only from the server")),
                _ => Some(format!("{path}.{name}: only from the yardstick")),
            })
        }
        _ => (server != yardstick)
            .then(|| format!("{path}: {server} from the server, {yardstick} from the yardstick")),
    }
}

/// Equal values in another order or spelling.
fn of_texts(server: &str, yardstick: &str) -> String {
    let same = server.bytes().zip(yardstick.bytes()).take_while(|(left, right)| left == right).count();
    let part = |text: &str| {
        let bytes = text.as_bytes();
        let part = &bytes[same.saturating_sub(CONTEXT)..bytes.len().min(same + CONTEXT)];
        String::from_utf8_lossy(part).into_owned()
    };
    let (server, yardstick) = (part(server), part(yardstick));
    format!("the same values, written otherwise: {server} from the server, {yardstick} from the yardstick")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named_by_its_path() {
        let difference = |server: &str, yardstick: &str| {
            first_difference(server.as_bytes(), yardstick.as_bytes())
                .expect("two answers")
                .unwrap_or_default()
        };
        let left = r#"{"data":{"nodes":[{"id":"a","price":"1.00"}]}}"#;
        assert_eq!(difference(left, left), "");
        assert_eq!(difference(left, r#"{"extensions":{},"data":{"nodes":[{"id":"a","price":"1.00"}]}}"#), "");
        let other = difference(left, r#"{"data":{"nodes":[{"id":"a","price":"1.10"}]}}"#);
        assert_eq!(other, "data.nodes[0].price: \"1.00\" from the server, \"1.10\" from the yardstick");
        assert!(difference(left, r#"{"data":{"nodes":[]}}"#).contains("1 items"));
        assert!(
            difference(left, r#"{"data":{"nodes":[{"id":"a"}]}}"#).contains("price: only from the server")
        );
        let swapped = r#"{"data":{"nodes":[{"price":"1.00","id":"a"}]}}"#;
        assert!(difference(left, swapped).contains("written otherwise"));
        assert!(first_difference(b"{\"errors\":[]}", b"{\"data\":{}}").is_err());
    }
}
