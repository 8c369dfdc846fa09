//! A client for one side of a comparison: HTTP/1.1 over kept connections, one request after the other.
//!
//! By hand, because the load generator shares its cores with what it measures: a general client would take a good part
//! of them. It reads only what the two servers send: a status, a length and that many bytes.

use std::net::SocketAddr;
use std::time::Duration;

use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Result;
use crate::database::local_addresses;

/// How long one answer may take.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// One side: where it listens.
#[derive(Debug, Clone)]
pub struct Target {
    addresses: Vec<SocketAddr>,
    authority: String,
    path: String,
}

impl Target {
    /// # Errors
    /// A URL that is not `http://host:port[/path]`, or leads to another machine.
    pub fn parse(url: &str, default_path: &str) -> Result<Self> {
        let rest = url.strip_prefix("http://").ok_or_else(|| format!("{url} does not begin with http://"))?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let path = if path.is_empty() { default_path.to_owned() } else { format!("/{path}") };
        Ok(Self { addresses: local_addresses(authority, authority)?, authority: authority.to_owned(), path })
    }

    /// A request for JSON below the target's path.
    pub fn get(&self, query: &str) -> Vec<u8> {
        let path = self.path.trim_end_matches('/');
        format!("GET {path}{query} HTTP/1.1\r\nhost: {}\r\n\r\n", self.authority).into_bytes()
    }

    pub fn post(&self, json: &str) -> Vec<u8> {
        self.post_with("", json)
    }

    /// The same by whom an access token was given to.
    pub fn post_as(&self, token: &str, json: &str) -> Vec<u8> {
        self.post_with(&format!("authorization: Bearer {token}\r\n"), json)
    }

    /// `headers` come each with the end of its line.
    fn post_with(&self, headers: &str, json: &str) -> Vec<u8> {
        format!(
            "POST {} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\naccept: application/json\r\n\
             {headers}content-length: {}\r\n\r\n{json}",
            self.path,
            self.authority,
            json.len()
        )
        .into_bytes()
    }

    /// # Errors
    /// The network's.
    pub async fn connect(&self) -> Result<Connection> {
        let stream = TcpStream::connect(&self.addresses[..])
            .await
            .map_err(|error| format!("{}: {error}", self.authority))?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, buffer: Vec::with_capacity(64 << 10) })
    }
}

/// A kept connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

impl Answer<'_> {
    /// Whether it is what was asked for. GraphQL's errors come with status 200; a name with this word in it would have
    /// its quotes escaped.
    pub fn is_good(&self) -> bool {
        self.status == 200 && memmem::find(self.body, b"\"errors\"").is_none()
    }
}

impl Connection {
    /// # Errors
    /// The network's, and an answer without a length. The connection is of no use afterwards.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            self.read().await?;
            if let Some(at) = memmem::find(&self.buffer, b"\r\n\r\n") {
                break at;
            }
        };
        let (status, length) = read_head(&self.buffer[..head])?;
        let (start, end) = (head + 4, head + 4 + length);
        while self.buffer.len() < end {
            self.read().await?;
        }
        Ok(Answer { status, body: &self.buffer[start..end] })
    }

    async fn read(&mut self) -> Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err("the connection was closed in the middle of an answer".into());
        }
        Ok(())
    }
}

/// Status and length of the body.
fn read_head(head: &[u8]) -> Result<(u16, usize)> {
    let head = str::from_utf8(head)?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).ok_or("an answer without a status")?;
    let length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .ok_or_else(|| format!("an answer without a length, status {status}"))?;
    Ok((status.parse()?, length.1.trim().parse()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_a_status_and_a_length() {
        assert_eq!(read_head(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nx: y").expect("a head"), (200, 12));
        assert!(read_head(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked").is_err());
    }

    #[test]
    fn only_this_machine_is_a_target() {
        assert!(Target::parse("http://127.0.0.1:8080", "/graphql").is_ok());
        for url in ["https://127.0.0.1:8080", "http://192.0.2.1:8080", "http://127.0.0.1", "127.0.0.1:8080"] {
            assert!(Target::parse(url, "/graphql").is_err(), "{url}");
        }
    }

    #[test]
    fn a_token_is_a_header_of_its_own() {
        let target = Target::parse("http://127.0.0.1:8080", "/graphql").expect("a target");
        let text = |request: Vec<u8>| String::from_utf8(request).expect("UTF-8");
        let (anonymous, known) = (text(target.post("{}")), text(target.post_as("token", "{}")));
        assert!(
            anonymous.ends_with("accept: application/json\r\ncontent-length: 2\r\n\r\n{}"),
            "{anonymous}"
        );
        assert!(
            known.ends_with("json\r\nauthorization: Bearer token\r\ncontent-length: 2\r\n\r\n{}"),
            "{known}"
        );
    }

    #[test]
    fn an_answer_with_errors_is_not_good() {
        let answer = |status, body: &'static str| Answer { status, body: body.as_bytes() }.is_good();
        assert!(answer(200, r#"{"data":{"card":{"name":"the \"errors\""}}}"#));
        assert!(!answer(200, r#"{"data":null,"errors":[]}"#));
        assert!(!answer(429, "{}"));
    }
}
