//! Answers as bytes, written in their order while they are known: no tree of values between a row and the wire.

use async_graphql::Value;
use serde::Serialize;

/// JSON text in the making.
#[derive(Debug, Default)]
pub struct Json(Vec<u8>);

impl Json {
    /// Punctuation and names of ours.
    pub fn raw(&mut self, text: &[u8]) -> &mut Self {
        self.0.extend_from_slice(text);
        self
    }

    /// A text, escaped, or a number.
    pub fn plain(&mut self, value: &(impl Serialize + ?Sized)) -> &mut Self {
        // Writing to memory does not fail, and neither texts nor numbers have a form that JSON lacks: what is not
        // finite is null.
        let _ = serde_json::to_writer(&mut self.0, value);
        self
    }

    /// A value of async-graphql's; `Binary` is one that was written before.
    pub fn value(&mut self, value: &Value) -> &mut Self {
        match value {
            Value::Binary(written) => self.raw(written),
            Value::List(items) => {
                self.raw(b"[");
                for (position, item) in items.iter().enumerate() {
                    self.comma(position).value(item);
                }
                self.raw(b"]")
            }
            Value::Object(fields) => {
                self.raw(b"{");
                for (position, (name, value)) in fields.iter().enumerate() {
                    self.comma(position).plain(name.as_str()).raw(b":").value(value);
                }
                self.raw(b"}")
            }
            leaf => self.plain(leaf),
        }
    }

    /// What stands before the item or field at this position.
    pub fn comma(&mut self, position: usize) -> &mut Self {
        if position > 0 { self.raw(b",") } else { self }
    }

    /// Bytes so far.
    pub fn length(&self) -> usize {
        self.0.len()
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub fn into_text(self) -> String {
        // All that is written is text.
        String::from_utf8(self.0).unwrap_or_default()
    }

    /// As a value, which [`Json::value`] writes as it stands.
    pub fn into_value(self) -> Value {
        Value::Binary(self.0.into())
    }
}

/// How many objects an answer holds.
pub fn objects_in(value: &Value) -> u64 {
    match value {
        Value::Binary(written) => {
            let (mut objects, mut in_text, mut escaped) = (0, false, false);
            for byte in written.iter() {
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' => escaped = in_text,
                    b'"' => in_text = !in_text,
                    b'{' if !in_text => objects += 1,
                    _ => {}
                }
            }
            objects
        }
        Value::List(items) => items.iter().map(objects_in).sum(),
        Value::Object(fields) => 1 + fields.values().map(objects_in).sum::<u64>(),
        _ => 0,
    }
}

/// A value as a tree, where it was written before.
pub fn as_tree(value: Value) -> Value {
    match value {
        Value::Binary(written) => serde_json::from_slice(&written).unwrap_or_default(),
        value => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_counted_in_trees_and_in_text_but_not_in_strings() {
        let mut inner = Json::default();
        inner.raw(br#"[{"a":"{\"{\\"},{"b":{"c":"}{"}}]"#);
        let tree = Value::Object([(async_graphql::Name::new("x"), inner.into_value())].into_iter().collect());
        assert_eq!(objects_in(&tree), 4);
    }

    #[test]
    fn what_was_written_before_stands_as_it_is() {
        let mut inner = Json::default();
        inner.raw(b"{\"b\":").plain("\"").raw(b",\"a\":1.5}");
        let list = Value::List(vec![inner.into_value(), Value::Null, Value::from(2)]);
        let mut json = Json::default();
        json.value(&Value::Object([(async_graphql::Name::new("list"), list)].into_iter().collect()));
        assert_eq!(objects_in(&Value::List(vec![Value::Object([].into_iter().collect())])), 1);
        assert_eq!(json.into_bytes(), br#"{"list":[{"b":"\"","a":1.5},null,2]}"#);
    }
}
