use proptest::prelude::*;

use super::*;

fn secret() -> CursorSecret {
    CursorSecret::new(["a secret of at least some length"])
}

fn list() -> ListId {
    ListId::new("things", ("name", "asc"))
}

fn number(row: &i64) -> Key {
    vec![KeyValue::Int(*row)]
}

fn cursor(row: i64) -> Option<String> {
    Some(secret().seal(&list(), &number(&row)))
}

/// What the database answers: the rows between the cursors, those included, from the page's end.
fn fetch(rows: &[i64], page: &Page) -> Vec<i64> {
    let at = |key: &Option<Key>| match key.as_deref() {
        Some([KeyValue::Int(value)]) => Some(*value),
        _ => None,
    };
    let (after, before) = (at(&page.after).unwrap_or(i64::MIN), at(&page.before).unwrap_or(i64::MAX));
    let within = rows.iter().copied().filter(|row| *row >= after && *row <= before);
    match page.end {
        End::Start => within.take(page.fetch()).collect(),
        End::Finish => within.rev().take(page.fetch()).collect(),
    }
}

#[test]
fn a_page_is_cut_with_facts_at_both_ends() {
    let rows: Vec<i64> = (1..=5).collect();
    let known = Fact::Known;
    #[rustfmt::skip]
    let table = [
        // first, after, last, before, rows, previous, next
        (Some(2), None, None, None, vec![1, 2], known(false), known(true)),
        (Some(5), None, None, None, vec![1, 2, 3, 4, 5], known(false), known(false)),
        (Some(2), Some(2), None, None, vec![3, 4], known(true), known(true)),
        (Some(9), Some(2), None, None, vec![3, 4, 5], known(true), known(false)),
        (Some(2), Some(5), None, None, vec![], known(true), known(false)),
        (Some(0), None, None, None, vec![], known(false), known(true)),
        (None, None, Some(2), None, vec![4, 5], known(true), known(false)),
        (None, None, Some(2), Some(4), vec![2, 3], known(true), known(true)),
        (None, None, Some(9), Some(3), vec![1, 2], known(false), known(true)),
        (Some(9), Some(1), None, Some(4), vec![2, 3], known(true), known(true)),
        (None, Some(1), Some(9), Some(4), vec![2, 3], known(true), known(true)),
        (Some(1), Some(1), None, Some(4), vec![2], known(true), known(true)),
        // The rows of these cursors are gone.
        (Some(2), Some(0), None, None, vec![1, 2], Fact::Ask, known(true)),
        (None, None, Some(2), Some(6), vec![4, 5], known(true), Fact::Ask),
        (Some(9), None, None, Some(6), vec![1, 2, 3, 4, 5], known(false), Fact::Ask),
    ];
    for (first, after, last, before, expected, previous, next) in table {
        let arguments =
            PageArguments { first, after: after.and_then(cursor), last, before: before.and_then(cursor) };
        let page = arguments.page(&list(), &secret()).expect("a page");
        let cut = page.cut(fetch(&rows, &page), number);
        assert_eq!(cut, Cut { rows: expected, previous, next }, "{arguments:?}");
    }
}

#[test]
fn refuses_what_no_page_can_be() {
    let page = |first, last| PageArguments { first, last, ..Default::default() }.page(&list(), &secret());
    for (first, last) in
        [(Some(1), Some(1)), (Some(-1), None), (Some(101), None), (None, Some(101)), (None, Some(-1))]
    {
        assert_eq!(page(first, last).expect_err("a refusal").code, Code::InvalidValue, "{first:?} {last:?}");
    }
    assert_eq!(page(None, None).expect("a page").size, 20);
    assert_eq!(page(Some(100), None).expect("a page").size, 100);
}

#[test]
fn a_cursor_opens_only_for_its_list_and_its_server() {
    let sealed = cursor(7).expect("a cursor");
    assert_eq!(secret().open(&list(), &sealed), Some(number(&7)));
    assert_eq!(secret().open(&ListId::new("things", ("name", "desc")), &sealed), None);
    assert_eq!(CursorSecret::new(["another secret"]).open(&list(), &sealed), None);
    assert_eq!(
        CursorSecret::new(["new", "a secret of at least some length"]).open(&list(), &sealed),
        Some(number(&7))
    );
    for forged in ["", "AQ", "not base64!", "AQEAAAAAAAAABwAAAAAAAAAAAAAAAA"] {
        assert_eq!(secret().open(&list(), forged), None, "{forged}");
    }
}

fn value() -> impl Strategy<Value = KeyValue> {
    prop_oneof![
        Just(KeyValue::Null),
        any::<i64>().prop_map(KeyValue::Int),
        (-1e9..1e9).prop_map(KeyValue::Float),
        ".{0,40}".prop_map(KeyValue::Text),
        (-200_000_i32..200_000).prop_map(|days| {
            KeyValue::Date(chrono::NaiveDate::from_num_days_from_ce_opt(719_163 + days).expect("a date"))
        }),
        (0_i64..4_000_000_000_000_000).prop_map(|micros| KeyValue::Time(
            chrono::DateTime::from_timestamp_micros(micros).expect("a time")
        )),
    ]
}

proptest! {
    #[test]
    fn any_key_survives_its_cursor(key in prop::collection::vec(value(), 0..5)) {
        prop_assert_eq!(secret().open(&list(), &secret().seal(&list(), &key)), Some(key));
    }

    #[test]
    fn a_cursor_with_a_changed_byte_is_refused(key in prop::collection::vec(value(), 1..4), at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        use base64::Engine as _;
        let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let mut bytes = engine.decode(secret().seal(&list(), &key)).expect("base64");
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert_eq!(secret().open(&list(), &engine.encode(bytes)), None);
    }

    #[test]
    fn any_text_is_refused_without_a_panic(text in ".{0,80}") {
        prop_assert_eq!(secret().open(&list(), &text), None);
    }

    /// Whatever page is asked of whatever rows, it is the page that counting would give.
    #[test]
    fn pages_agree_with_counting(
        rows in prop::collection::btree_set(0_i64..60, 0..30),
        size in 0_i32..12,
        from_start in any::<bool>(),
        after in prop::option::of(0_i64..60),
        before in prop::option::of(0_i64..60),
    ) {
        let rows: Vec<i64> = rows.into_iter().collect();
        let (first, last) = if from_start { (Some(size), None) } else { (None, Some(size)) };
        let arguments = PageArguments { first, last, after: after.and_then(cursor), before: before.and_then(cursor) };
        let page = arguments.page(&list(), &secret()).expect("a page");
        let cut = page.cut(fetch(&rows, &page), number);

        let within: Vec<i64> = rows.iter().copied()
            .filter(|row| after.is_none_or(|after| *row > after) && before.is_none_or(|before| *row < before))
            .collect();
        let size = usize::try_from(size).expect("a size");
        let expected: Vec<i64> = if from_start {
            within.iter().copied().take(size).collect()
        } else {
            within[within.len().saturating_sub(size)..].to_vec()
        };
        prop_assert_eq!(&cut.rows, &expected);
        // Where there is no cursor at an end, the fact is about what the page left over.
        if after.is_none() {
            let left = if from_start { false } else { within.len() > size };
            prop_assert_eq!(cut.previous, Fact::Known(left));
        }
        if before.is_none() {
            let left = if from_start { within.len() > size } else { false };
            prop_assert_eq!(cut.next, Fact::Known(left));
        }
    }
}
