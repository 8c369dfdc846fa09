//! Something between a server and what it asks, that can be cut, held and healed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How long a connection takes to be made.
const CONNECTING: Duration = Duration::from_millis(100);

/// What becomes of what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Passes,
    /// Connections are taken, and nothing goes on.
    Held,
    /// Connections end, and new ones end at once.
    Cut,
}

/// A proxy for TCP.
pub struct Proxy {
    pub address: SocketAddr,
    state: watch::Sender<State>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    /// Connections that were ever made, and that are there now.
    made: AtomicUsize,
    open: AtomicUsize,
}

impl Proxy {
    /// A proxy to an address such as `127.0.0.1:6379`.
    pub async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let address = listener.local_addr().expect("an address");
        let state = watch::Sender::new(State::Passes);
        let watched = state.subscribe();
        let counts = Arc::<Counts>::default();
        let counting = Arc::clone(&counts);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (target, mut watched) = (target.clone(), watched.clone());
                let counts = Arc::clone(&counting);
                tokio::spawn(async move {
                    if *watched.borrow() == State::Cut {
                        return;
                    }
                    counts.made.fetch_add(1, Ordering::Relaxed);
                    counts.open.fetch_add(1, Ordering::Relaxed);
                    // Who asks meanwhile is to wait for this connection, not to make another.
                    tokio::time::sleep(CONNECTING).await;
                    // Where the far side takes none, it ends too.
                    if let Ok(far) = TcpStream::connect(target).await {
                        let passes = watched.clone();
                        tokio::select! {
                            () = pass(near, far, passes) => {}
                            _ = watched.wait_for(|state| *state == State::Cut) => {}
                        }
                    } else {
                        drop(near);
                    }
                    counts.open.fetch_sub(1, Ordering::Relaxed);
                });
            }
        });
        Self { address, state, counts }
    }

    /// Connections that were ever made.
    pub fn made(&self) -> usize {
        self.counts.made.load(Ordering::Relaxed)
    }

    /// Connections that are there now.
    pub fn open(&self) -> usize {
        self.counts.open.load(Ordering::Relaxed)
    }

    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// The same, and waits until nothing of what was there is left.
    pub async fn cut_off(&self) {
        self.cut();
        while self.open() > 0 {
            tokio::task::yield_now().await;
        }
    }

    pub fn hold(&self) {
        self.state.send_replace(State::Held);
    }

    pub fn heal(&self) {
        self.state.send_replace(State::Passes);
    }
}

async fn pass(near: TcpStream, far: TcpStream, state: watch::Receiver<State>) {
    let (near_in, near_out) = near.into_split();
    let (far_in, far_out) = far.into_split();
    tokio::join!(one_way(near_in, far_out, state.clone()), one_way(far_in, near_out, state));
}

async fn one_way(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut state: watch::Receiver<State>,
) {
    let mut piece = [0; 16_384];
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        if state.wait_for(|state| *state == State::Passes).await.is_err() {
            return;
        }
        if to.write_all(&piece[..read]).await.is_err() {
            return;
        }
    }
}
