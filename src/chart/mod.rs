//! A line chart of amounts over time, as an SVG and as a PNG.
//!
//! It is a chart of one kind, so it is written here and not by a library of charts: what it looks like, and that a
//! hostile name stays a text, is then all in one place. The PNG is the SVG rendered in a font that is part of the
//! server, and so the same on every machine.

mod scale;
mod text;

use std::fmt::Write;
use std::sync::{Arc, LazyLock};

use chrono::{DateTime, Utc};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::{Database, Source};
use resvg::usvg::{self, Options, Tree};

use scale::{Amounts, Times};

/// The width of a chart, in pixels.
pub const WIDTH: u32 = 800;
/// The height of a chart, in pixels.
pub const HEIGHT: u32 = 400;

// The edges of the area that the line is in. To its right is the room for the last amount.
const LEFT: f64 = 76.0;
const RIGHT: f64 = 694.0;
const TOP: f64 = 84.0;
const BOTTOM: f64 = 356.0;

const MARGIN: f64 = 24.0;
const TITLE_SIZE: u32 = 20;
/// In tenths of the title's size: the width without the margins.
const TITLE_ROOM: u32 = (WIDTH - 48) * 10 / TITLE_SIZE;
/// In tenths of the size too: a code of three letters, and some more.
const CURRENCY_ROOM: u32 = 60;

const INK: &str = "#111827";
const FAINT_INK: &str = "#374151";
const GRID: &str = "#e5e7eb";
const LINE: &str = "#1d4ed8";

/// Amounts over time, under a title.
#[derive(Debug, Clone, Copy)]
pub struct Chart<'a> {
    /// Any text: it is cleaned, and cut where it is too long.
    pub title: &'a str,
    /// What the amounts are in, like `USD`.
    pub currency: &'a str,
    /// In any order; none at all makes a chart that says so.
    pub points: &'a [Point],
}

/// An amount at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// When the amount was seen.
    pub time: DateTime<Utc>,
    /// In hundredths of the currency; less than nothing is drawn as nothing.
    pub amount: i64,
}

/// Why there is no PNG of a chart. None of it depends on what the chart shows.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// The SVG was not understood.
    #[error("the chart's SVG was not understood")]
    Svg(#[from] usvg::Error),
    /// There was no room for the picture.
    #[error("there is no room for the chart's picture")]
    Size,
    /// The picture was not encoded.
    #[error("the chart's picture was not encoded")]
    Encode(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Chart<'_> {
    /// The chart as an SVG that needs nothing else: no script, no style sheet, no font, no link.
    pub fn svg(&self) -> String {
        let title = text::clean(self.title);
        let currency = text::escape(&text::cut(&text::clean(self.currency), CURRENCY_ROOM));
        let mut points = self.points.to_vec();
        points.sort_by_key(|point| point.time);

        let mut svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" font-size="13" fill="{FAINT_INK}">"#
        );
        push(&mut svg, format_args!("<title>{}</title>", text::escape(&title)));
        push(&mut svg, format_args!("<desc>{}</desc>", description(&points, &currency)));
        push(&mut svg, format_args!(r##"<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>"##));
        push(
            &mut svg,
            format_args!(
                r#"<text x="{MARGIN}" y="40" font-size="{TITLE_SIZE}" fill="{INK}">{}</text>"#,
                text::escape(&text::cut(&title, TITLE_ROOM))
            ),
        );
        if let (Some(first), Some(last)) = (points.first(), points.last()) {
            draw(&mut svg, &points, *first, *last, &currency);
        } else {
            let (x, y) = (WIDTH / 2, HEIGHT / 2);
            let line = format_args!(
                r#"<text x="{x}" y="{y}" font-size="16" text-anchor="middle">No prices are known.</text>"#
            );
            push(&mut svg, line);
        }
        svg.push_str("</svg>\n");
        svg
    }

    /// The same as a picture. This takes milliseconds of computing: not for a thread that others wait for.
    pub fn png(&self) -> Result<Vec<u8>, ChartError> {
        let tree = Tree::from_str(&self.svg(), &OPTIONS)?;
        let mut picture = Pixmap::new(WIDTH, HEIGHT).ok_or(ChartError::Size)?;
        resvg::render(&tree, Transform::identity(), &mut picture.as_mut());
        picture.encode_png().map_err(|error| ChartError::Encode(error.into()))
    }
}

/// What pictures are rendered with. The one font is the server's own, whatever the machine has: it has the Latin,
/// Greek and Cyrillic letters, and an empty box for all others.
static OPTIONS: LazyLock<Options<'static>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    fonts.load_font_source(Source::Binary(Arc::new(epaint_default_fonts::UBUNTU_LIGHT)));
    let family = fonts.faces().next().and_then(|face| face.families.first()).map(|(name, _)| name.clone());
    if let Some(family) = family {
        fonts.set_sans_serif_family(family);
    }
    Options { fontdb: Arc::new(fonts), ..Options::default() }
});

fn push(svg: &mut String, element: std::fmt::Arguments<'_>) {
    // A string takes all that is written to it.
    let _ = svg.write_fmt(element);
}

/// The chart in words, for those who cannot see it.
fn description(points: &[Point], currency: &str) -> String {
    let Some(last) = points.last() else { return "No prices are known.".to_owned() };
    let (amount, day) = (scale::full(last.amount), last.time.format("%-d %b %Y"));
    format!("Prices over time, the last of them {amount} {currency} on {day}.")
}

/// The axes, the line and the last amount.
fn draw(svg: &mut String, points: &[Point], first: Point, last: Point, currency: &str) {
    let amounts = points.iter().map(|point| point.amount);
    let (low, high) = amounts.fold((i64::MAX, 0), |(low, high), amount| (low.min(amount), high.max(amount)));
    let amounts = Amounts::covering(low, high);
    let times = Times::covering(first.time, last.time);
    let x = |time| LEFT + times.share(time) * (RIGHT - LEFT);
    let y = |amount: i128| BOTTOM - amounts.share(amount) * (BOTTOM - TOP);
    let place = |point: &Point| (x(point.time), y(point.amount.max(0).into()));

    let edge = LEFT - 10.0;
    push(svg, format_args!(r#"<text x="{edge}" y="{:.1}" text-anchor="end">{currency}</text>"#, TOP - 16.0));
    for (amount, label) in amounts.ticks() {
        let y = y(amount);
        push(
            svg,
            format_args!(
                r#"<path d="M{LEFT} {y:.1}H{RIGHT}" stroke="{GRID}"/><text x="{edge}" y="{:.1}" text-anchor="end">{label}</text>"#,
                y + 4.5
            ),
        );
    }
    for (time, label) in times.ticks() {
        let x = x(time);
        push(
            svg,
            format_args!(
                r#"<path d="M{x:.1} {BOTTOM}v5" stroke="{FAINT_INK}"/><text x="{x:.1}" y="{:.1}" text-anchor="middle">{label}</text>"#,
                BOTTOM + 22.0
            ),
        );
    }
    push(svg, format_args!(r#"<path d="M{LEFT} {BOTTOM}H{RIGHT}" stroke="{FAINT_INK}"/>"#));

    let (last_x, last_y) = place(&last);
    if points.len() > 1 {
        let line: Vec<String> = points.iter().map(place).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let line = line.join(" ");
        push(
            svg,
            format_args!(
                r#"<polygon points="{:.1},{BOTTOM} {line} {last_x:.1},{BOTTOM}" fill="{LINE}" fill-opacity="0.12"/><polyline points="{line}" fill="none" stroke="{LINE}" stroke-width="2" stroke-linejoin="round"/>"#,
                place(&first).0
            ),
        );
    }
    push(
        svg,
        format_args!(
            r#"<circle cx="{last_x:.1}" cy="{last_y:.1}" r="4" fill="{LINE}"/><text x="{:.1}" y="{:.1}" font-size="15" fill="{INK}">{}</text>"#,
            last_x + 10.0,
            last_y + 5.0,
            scale::short(last.amount)
        ),
    );
}

#[cfg(test)]
mod tests {
    use resvg::usvg::roxmltree::Document;

    use super::*;

    const HOSTILE: &str = "</text><script>alert('1')</script> &amp; \"q\" ]]> \u{202e}\0\u{fffe} שלום مرحبا 👩\u{200d}🔬 黒 \u{301}\u{301}";

    fn days(amounts: &[i64]) -> Vec<Point> {
        let first = DateTime::from_timestamp(1_767_225_600, 0).expect("a time");
        let point =
            |(day, amount): (i64, &i64)| Point { time: first + chrono::Duration::days(day), amount: *amount };
        (0..).zip(amounts).map(point).collect()
    }

    fn chart(points: &[Point]) -> Chart<'_> {
        Chart { title: "Black Lotus", currency: "USD", points }
    }

    /// The text of each element of a name.
    fn texts(svg: &str, name: &str) -> Vec<String> {
        let document = Document::parse(svg).expect("well-formed");
        let elements = document.descendants().filter(|node| node.has_tag_name(name));
        elements.map(|node| node.text().unwrap_or_default().to_owned()).collect()
    }

    /// The width and height that a PNG says it has.
    fn size(png: &[u8]) -> (u32, u32) {
        let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().expect("four bytes"));
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
        assert_eq!(&png[12..16], b"IHDR");
        (number(16), number(20))
    }

    #[test]
    fn no_points_are_said_in_words() {
        let svg = chart(&[]).svg();
        assert_eq!(texts(&svg, "text"), ["Black Lotus", "No prices are known."]);
        assert_eq!(size(&chart(&[]).png().expect("a picture")), (WIDTH, HEIGHT));
    }

    #[test]
    fn one_point_is_a_dot_with_its_amount() {
        let points = days(&[1_250]);
        let svg = chart(&points).svg();
        assert!(texts(&svg, "text").contains(&"12.50".to_owned()));
        assert_eq!((texts(&svg, "circle").len(), texts(&svg, "polyline").len()), (1, 0));
        assert!(chart(&points).png().is_ok());
    }

    #[test]
    fn every_number_is_within_the_picture() {
        for amounts in
            [&[500, 500, 500][..], &[0], &[0, 0], &[0, i64::MAX], &[i64::MAX; 2], &[-5, 7], &[-5, -5]]
        {
            let points = days(amounts);
            let svg = chart(&points).svg();
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            let document = Document::parse(&svg).expect("well-formed");
            for line in document.descendants().filter_map(|node| node.attribute("points")) {
                for pair in line.split(' ') {
                    let (x, y) = pair.split_once(',').expect("a pair");
                    let (x, y): (f64, f64) = (x.parse().expect("a number"), y.parse().expect("a number"));
                    assert!(
                        (LEFT..=RIGHT).contains(&x) && (TOP..=BOTTOM).contains(&y),
                        "{amounts:?}: {pair}"
                    );
                }
            }
            assert!(chart(&points).png().is_ok());
        }
    }

    #[test]
    fn the_order_of_the_points_is_no_matter() {
        let points = days(&[100, 900, 300]);
        let reversed: Vec<Point> = points.iter().rev().copied().collect();
        assert_eq!(chart(&points).svg(), chart(&reversed).svg());
        assert!(texts(&chart(&points).svg(), "text").contains(&"3.00".to_owned()), "the last amount");
        assert_eq!(
            texts(&chart(&points).svg(), "desc"),
            ["Prices over time, the last of them 3.00 USD on 3 Jan 2026."]
        );
    }

    #[test]
    fn a_hostile_title_stays_a_text() {
        let points = days(&[100, 200]);
        let plain = chart(&points).svg();
        for text in [HOSTILE, "\0", "", "<!--", "<![CDATA[", "&#x0;", "'\"><svg onload=\"x\">"] {
            let hostile = Chart { title: text, currency: text, points: &points };
            let svg = hostile.svg();
            let count = |svg: &str| {
                Document::parse(svg).map(|document| document.descendants().filter(|n| n.is_element()).count())
            };
            assert_eq!(
                count(&svg).expect("well-formed"),
                count(&plain).expect("well-formed"),
                "no more elements"
            );
            assert_eq!(texts(&svg, "title"), [text::clean(text)]);
            assert!(texts(&svg, "script").is_empty());
            assert_eq!(size(&hostile.png().expect("a picture")), (WIDTH, HEIGHT));
        }
    }

    #[test]
    fn a_long_title_is_cut_where_it_is_shown() {
        let title = "Asmoranomardicadaistinaculdacar ".repeat(10_000);
        let svg = Chart { title: &title, currency: "USD", points: &[] }.svg();
        let shown = texts(&svg, "text").remove(0);
        assert!(shown.ends_with('…') && shown.chars().count() < 70, "{shown}");
    }

    #[test]
    fn the_same_chart_is_the_same_bytes() {
        let points = days(&[1_999, 2_050, 1_875, 2_300]);
        let png = chart(&points).png().expect("a picture");
        assert_eq!(size(&png), (WIDTH, HEIGHT));
        assert_eq!(png, chart(&points).png().expect("a picture"));
        assert_ne!(
            png,
            Chart { title: "Mox Jet", ..chart(&points) }.png().expect("a picture"),
            "text is drawn"
        );
    }
}
