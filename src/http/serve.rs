//! Listening, and stopping without dropping what runs. Not axum's own loop, which gives a connection all the time it
//! likes for its headers, and takes as many connections as come.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1::{Builder, UpgradeableConnection};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

use super::visit::Peer;
use super::{admin_router, router};
use crate::app::App;
use crate::config::SocketSettings;

/// The sockets that the server listens on.
pub struct Listeners {
    main: TcpListener,
    admin: Option<TcpListener>,
}

impl Listeners {
    /// # Errors
    /// When an address is taken or not this machine's.
    pub async fn bind(app: &App) -> io::Result<Self> {
        let settings = &app.settings().server;
        let bind = async |address: SocketAddr| {
            TcpListener::bind(address)
                .await
                .map_err(|error| io::Error::new(error.kind(), format!("can't listen on {address}: {error}")))
        };
        Ok(Self {
            main: bind(settings.listen).await?,
            admin: match settings.admin_listen {
                Some(address) => Some(bind(address).await?),
                None => None,
            },
        })
    }

    /// Where the server is reached, with the port that the system chose where the settings say 0.
    ///
    /// # Errors
    /// The system's.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.main.local_addr()
    }
}

/// Serves until `stop` ends; then is not ready, takes no new connections, and lets what runs finish for as long as the
/// settings say.
pub async fn serve(app: App, listeners: Listeners, stop: impl Future<Output = ()>) {
    let timeout = app.settings().server.shutdown_timeout;
    let limits = &app.settings().socket;
    let (stopping, stopped) = watch::channel(false);
    let main = listen(listeners.main, router(&app), limits, stopped.clone());
    let admin = async {
        if let Some(listener) = listeners.admin {
            listen(listener, admin_router(&app), limits, stopped).await;
        }
    };
    let patience = async {
        stop.await;
        tracing::info!("stopping: letting requests finish");
        app.drain();
        stopping.send_replace(true);
        tokio::time::sleep(timeout).await;
    };
    tokio::select! {
        _ = async { tokio::join!(main, admin) } => {}
        () = patience => tracing::warn!("requests did not finish in time and are dropped"),
    }
}

/// What a listener does when the system has no more files to give: connections that end give some back.
const PAUSE: Duration = Duration::from_millis(100);

/// Bytes of a request's headers at most, and of what a connection keeps in hand.
const HEADER_BYTES: usize = 128 << 10;

/// Connections beyond the limit that are told so at a time; more of them are just closed.
const TOLD: usize = 64;
/// The time that one of them has to hear it.
const TELLING: Duration = Duration::from_secs(1);
/// What it hears, whatever it asks.
const FULL: &str = "HTTP/1.1 503 Service Unavailable\r\n\
content-type: application/json; charset=utf-8\r\n\
content-length: 170\r\n\
cache-control: no-store\r\n\
retry-after: 1\r\n\
connection: close\r\n\r\n\
{\"errors\":[{\"message\":\"There are too many connections just now. Please try again in a moment.\",\
\"extensions\":{\"code\":\"OVERLOADED\",\"errorCode\":\"ERR-5003\",\"retryAfter\":1}}]}";

/// Serves one address until it is told to stop, and then until the last request is answered.
async fn listen(
    listener: TcpListener,
    routes: Router,
    limits: &SocketSettings,
    stopped: watch::Receiver<bool>,
) {
    let mut builder = Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.header_timeout).max_buf_size(HEADER_BYTES);
    let most = u32::try_from(limits.connections).unwrap_or(u32::MAX).min(1 << 24);
    let places = Arc::new(Semaphore::new(most as usize));
    let told = Arc::new(Semaphore::new(TOLD));
    let accept = async {
        loop {
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                metrics::counter!("dualcaster_connections_refused_total").increment(1);
                if let Ok(telling) = Arc::clone(&told).try_acquire_owned() {
                    tokio::spawn(async move {
                        // In vain, where it takes longer.
                        let _ = tokio::time::timeout(TELLING, turn_away(stream)).await;
                        drop(telling);
                    });
                }
                continue;
            };
            // An answer is written at once; nothing is gained by waiting for more.
            let _ = stream.set_nodelay(true);
            let (routes, place) = (routes.clone(), Place(Arc::new(place)));
            let service = service_fn(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(place.clone());
                request.extensions_mut().insert(Peer(peer));
                routes.clone().oneshot(request)
            });
            // A reader that takes nothing does not keep its place.
            let mut stream = TimeoutStream::new(stream);
            stream.set_write_timeout(Some(limits.read_timeout));
            let connection =
                builder.serve_connection(TokioIo::new(Box::pin(stream)), service).with_upgrades();
            tokio::spawn(until_stopped(connection, stopped.clone()));
        }
    };
    // A sender that is gone means stop as well.
    let mut stopping = stopped.clone();
    tokio::select! {
        () = accept => {}
        _ = stopping.wait_for(|stopped| *stopped) => {}
    }
    drop(listener);
    // The last connection has ended when all places are free.
    let _ = places.acquire_many(most).await;
}

/// Tells a connection that there is no place for it.
async fn turn_away(mut stream: TcpStream) -> io::Result<()> {
    let mut unread = [0; 4_096];
    // An answer that comes before its question is a fault to some clients.
    let _ = stream.read(&mut unread).await?;
    stream.write_all(FULL.as_bytes()).await?;
    stream.shutdown().await?;
    // What is closed with something unread in it may not be heard.
    while stream.read(&mut unread).await? > 0 {}
    Ok(())
}

/// A connection's place among those that may be open. Who takes the connection over keeps it.
#[derive(Clone)]
pub(super) struct Place(#[expect(dead_code, reason = "it is there to be dropped")] Arc<OwnedSemaphorePermit>);

/// Serves a connection to its end; once the server stops, to the end of the request that it is at.
async fn until_stopped<S>(
    connection: UpgradeableConnection<TokioIo<Pin<Box<TimeoutStream<TcpStream>>>>, S>,
    mut stopped: watch::Receiver<bool>,
) where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible>,
{
    let mut connection = pin!(connection);
    // A sender that is gone means stop as well.
    let stop = async { stopped.wait_for(|stopped| *stopped).await.is_ok() };
    let served = tokio::select! {
        served = connection.as_mut() => served,
        _ = stop => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    // What ends a connection early is its client's doing.
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended");
    }
}
