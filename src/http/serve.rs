//! Listening, and stopping without dropping what runs.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::sync::watch;

use super::{admin_router, router};
use crate::app::App;

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
///
/// # Errors
/// The system's.
pub async fn serve(app: App, listeners: Listeners, stop: impl Future<Output = ()>) -> io::Result<()> {
    let (stopping, stopped) = watch::channel(false);
    let until_stopped = |mut stopped: watch::Receiver<bool>| async move {
        // A sender that is gone means stop as well.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let main =
        axum::serve(listeners.main, router(&app)).with_graceful_shutdown(until_stopped(stopped.clone()));
    let admin = async {
        match listeners.admin {
            Some(listener) => {
                axum::serve(listener, admin_router(&app)).with_graceful_shutdown(until_stopped(stopped)).await
            }
            None => Ok(()),
        }
    };
    let timeout = app.settings().server.shutdown_timeout;
    let patience = async {
        stop.await;
        tracing::info!("stopping: letting requests finish");
        app.drain();
        // Nobody listens only when both servers have ended by themselves.
        let _ = stopping.send(true);
        tokio::time::sleep(timeout).await;
    };
    tokio::select! {
        outcome = async { tokio::try_join!(main.into_future(), admin) } => outcome.map(|_| ()),
        () = patience => {
            tracing::warn!("requests did not finish in time and are dropped");
            Ok(())
        }
    }
}
