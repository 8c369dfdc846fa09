//! Pictures of prices and of what holdings were worth, for pages and messages that can't draw.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use entity::enums::{Currency, Finish};
use serde::Deserialize;
use uuid::Uuid;

use super::files::{failed, no_such_link};
use super::plain_refusal;
use super::visit::{Peer, is_own_page, visit};
use crate::app::App;
use crate::chart::{Chart, Point};
use crate::domain::accounts::find_user;
use crate::domain::catalogue::{CardColumns, load_cards_by_scryfall_id};
use crate::domain::collection::{load_holdings, load_value_history};
use crate::domain::market::{
    HistoryInterval, HistoryKey, HistoryQuery, HistorySource, HistoryWindow, load_price_history,
};
use crate::domain::store::load_newest;
use crate::error::{Code, Error, Refusal};
use crate::gates::{Charge, Limit};
use crate::graphql::card_of_id;
use crate::links::Link;
use crate::pagination::Page;

/// Pictures that one network may have drawn: each takes milliseconds of computing.
const DRAWN: Limit = Limit::per_minute(120, 120);
/// Points of a picture at most: a year of days is as much as can be told apart.
const POINTS: usize = 400;
/// Days of a history that are looked at, the newest: ten years.
const DAYS: usize = 3_660;

pub fn routes() -> Router<App> {
    Router::new().route("/charts/cards/{file}", get(card)).route("/charts/portfolios/{file}", get(portfolio))
}

/// As what a chart is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Png,
    Svg,
}

/// A file's name as what it is about and its format.
fn split(file: &str) -> Option<(&str, Format)> {
    match file.rsplit_once('.')? {
        (name, "png") => Some((name, Format::Png)),
        (name, "svg") => Some((name, Format::Svg)),
        _ => None,
    }
}

#[derive(Debug, Deserialize)]
struct CardQuery {
    window: Option<String>,
    currency: Option<String>,
    finish: Option<String>,
}

impl CardQuery {
    /// Nothing where something is not understood.
    fn read(&self) -> Option<(HistoryWindow, Currency, Option<Finish>)> {
        let window = match self.window.as_deref() {
            Some("DAYS_7") => HistoryWindow::Days(7),
            None | Some("DAYS_30") => HistoryWindow::Days(30),
            Some("DAYS_90") => HistoryWindow::Days(90),
            Some("YEAR_1") => HistoryWindow::Days(365),
            Some("ALL") => HistoryWindow::All,
            Some(_) => return None,
        };
        let currency = match self.currency.as_deref() {
            None | Some("USD") => Currency::Usd,
            Some("EUR") => Currency::Eur,
            Some("TIX") => Currency::Tix,
            Some(_) => return None,
        };
        let finish = match self.finish.as_deref() {
            None => None,
            Some("NONFOIL") => Some(Finish::Nonfoil),
            Some("FOIL") => Some(Finish::Foil),
            Some("ETCHED") => Some(Finish::Etched),
            Some(_) => return None,
        };
        Some((window, currency, finish))
    }
}

fn currency_name(currency: Currency) -> &'static str {
    match currency {
        Currency::Usd => "USD",
        Currency::Eur => "EUR",
        Currency::Tix => "TIX",
    }
}

/// Lets a drawing in, or answers why not.
async fn admit(app: &App, peer: Option<Extension<Peer>>, headers: &HeaderMap) -> Result<(), Response> {
    let server = &app.settings().server;
    let is_own = is_own_page(headers, &server.cors_origins);
    let visit = visit(peer.map(|Extension(peer)| peer), headers, &server.trusted_proxies, is_own);
    let key = format!("charts:{}", visit.network());
    let passed = app.gates().pass(&[Charge { key: &key, points: 1, limit: DRAWN }]).await;
    passed.map_err(|refusal| plain_refusal(StatusCode::TOO_MANY_REQUESTS, &refusal))
}

async fn card(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    Path(file): Path<String>,
    query: Result<Query<CardQuery>, QueryRejection>,
) -> Response {
    let asked = query.ok().and_then(|Query(query)| query.read());
    let (Some((id, format)), Some((window, currency, finish))) = (split(&file), asked) else {
        return no_such_picture();
    };
    let Some(card) = card_of_id(id) else { return no_such_picture() };
    if let Err(refused) = admit(&app, peer, &headers).await {
        return refused;
    }
    match card_points(&app, card, window, currency, finish).await {
        Ok(Some((title, points))) => draw(title, currency, points, format, "public, max-age=300").await,
        Ok(None) => no_such_picture(),
        Err(error) => failed(&error),
    }
}

fn no_such_picture() -> Response {
    let message = "There is no such picture: /charts/cards/ID.png or .svg, with window, currency and finish as the \
                   schema has them.";
    plain_refusal(StatusCode::NOT_FOUND, &Refusal::new(Code::NotFound, message))
}

async fn card_points(
    app: &App,
    scryfall_id: Uuid,
    window: HistoryWindow,
    currency: Currency,
    finish: Option<Finish>,
) -> Result<Option<(String, Vec<Point>)>, Error> {
    let connection = app.databases().read();
    let cards = load_cards_by_scryfall_id(connection, &[scryfall_id], CardColumns::Row).await?;
    let Some(card) = cards.into_iter().next() else { return Ok(None) };
    let finish = finish.unwrap_or_else(|| card.finishes.first());
    let key = HistoryKey { card_id: card.id, language: card.language.clone(), finish };
    let query = HistoryQuery {
        window,
        // Weeks would be drawn at their Monday, with the price of their last day.
        interval: HistoryInterval::Day,
        kind: entity::enums::PriceKind::Retail,
        source: HistorySource::Currency(currency),
    };
    let histories = load_price_history(connection, &[key], &query, &Page::first(DAYS)).await?;
    let points = histories.into_values().flat_map(|slice| slice.rows);
    let points = thinned(points.map(|point| Point { time: point.time, amount: point.price }).collect());
    let title = format!("{} ({})", card.name, card.set_code.to_uppercase());
    Ok(Some((title, points)))
}

/// Of more points than a picture has room for, every so many, and in any case the newest, which comes first, and the oldest,
/// where the axis begins. Each is told at its own day.
fn thinned(points: Vec<Point>) -> Vec<Point> {
    let step = points.len().div_ceil(POINTS - 1).max(1);
    let oldest = points.len().saturating_sub(1);
    let kept = points.into_iter().enumerate().filter(|(at, _)| at.is_multiple_of(step) || *at == oldest);
    kept.map(|(_, point)| point).collect()
}

async fn portfolio(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    Path(file): Path<String>,
) -> Response {
    let Some((token, format)) = split(&file) else { return no_such_link() };
    let Some((Link::Portfolio { user, currency, days }, _)) = app.links().open(token) else {
        return no_such_link();
    };
    if let Err(refused) = admit(&app, peer, &headers).await {
        return refused;
    }
    let currency = match currency {
        1 => Currency::Eur,
        2 => Currency::Tix,
        _ => Currency::Usd,
    };
    let window = days.map_or(HistoryWindow::All, HistoryWindow::Days);
    match portfolio_points(&app, user, currency, window).await {
        Ok(Some((title, points))) => draw(title, currency, points, format, "private, max-age=300").await,
        Ok(None) => no_such_link(),
        Err(error) => failed(&error),
    }
}

async fn portfolio_points(
    app: &App,
    user: Uuid,
    currency: Currency,
    window: HistoryWindow,
) -> Result<Option<(String, Vec<Point>)>, Error> {
    let connection = app.databases().write();
    let Some(account) = find_user(connection, user).await? else { return Ok(None) };
    let mut points = Vec::new();
    if let Some(now) = load_newest(connection).await? {
        let days = load_value_history(connection, user, currency, window, now).await?;
        points.extend(days.iter().map(|day| Point { time: day.time, amount: day.value }));
        let value = load_holdings(connection, user, currency).await?.value;
        points.push(Point { time: now, amount: value });
    }
    Ok(Some((format!("Collection of {}", account.display_name), points)))
}

async fn draw(
    title: String,
    currency: Currency,
    points: Vec<Point>,
    format: Format,
    kept: &'static str,
) -> Response {
    let drawing = tokio::task::spawn_blocking(move || {
        let chart = Chart { title: &title, currency: currency_name(currency), points: &points };
        match format {
            Format::Png => chart.png(),
            Format::Svg => Ok(chart.svg().into_bytes()),
        }
    });
    let content_type = match format {
        Format::Png => "image/png",
        Format::Svg => "image/svg+xml",
    };
    match drawing.await {
        Ok(Ok(picture)) => {
            ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, kept)], picture).into_response()
        }
        Ok(Err(error)) => failed(&Error::internal(error.to_string())),
        Err(_) => failed(&Error::internal("a picture's thread panicked")),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::*;

    #[test]
    fn a_long_history_is_thinned_between_its_ends() {
        let newest = DateTime::<Utc>::UNIX_EPOCH;
        let days = |count: i64| -> Vec<Point> {
            (0..count).map(|day| Point { time: newest - TimeDelta::days(day), amount: day }).collect()
        };
        for short in [0, 1, 31, 366, 399] {
            assert_eq!(thinned(days(short)), days(short), "{short}");
        }
        for long in [400, 401, 797, 798, 799, 3_660] {
            let (all, kept) = (days(long), thinned(days(long)));
            assert!((200..=POINTS).contains(&kept.len()), "{long}: {}", kept.len());
            assert_eq!((kept.first(), kept.last()), (all.first(), all.last()), "{long}");
            assert!(kept.iter().all(|point| all.contains(point)), "{long}");
        }
    }
}
