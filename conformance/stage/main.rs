//! The stage: the product's front door around `schema.rs`, in memory, until it is told to end. Prints its address.

mod schema;

use dualcaster::app::App;
use dualcaster::config::{Environment, Settings};
use dualcaster::engine::Engine;
use dualcaster::http::{Listeners, serve};
use dualcaster::telemetry::install_metrics;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let variables = [("DATABASE_URL", "sqlite::memory:"), ("DUALCASTER_LISTEN", "127.0.0.1:0")];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settings = Settings::read(&mut Environment::new(variables)).map_err(|error| format!("{error:?}"))?;
    let engine = Engine::new(schema::schema, &settings.guard);
    let app = App::build_around(engine, schema::Named, settings, install_metrics()?).await?;
    let listeners = Listeners::bind(&app).await?;
    #[expect(clippy::print_stdout, reason = "who starts it needs the address")]
    {
        println!("http://{}", listeners.address()?);
    }
    serve(app, listeners, async {
        // Without signals it runs until it is killed.
        let _ = tokio::signal::ctrl_c().await;
    })
    .await;
    Ok(())
}
