//! The limits, one after the other: of each, its figure passes, and of one more nothing is executed. That this takes
//! under 5 ms is measured by loadtests/front-door/limits.mjs.
//!
//! - depth 15: `queries::depth_15_passes_and_16_is_refused`
//! - cost 10,000 a query: `queries::cost_10_000_passes_and_10_001_is_refused`; never below the objects returned: stays in
//!   tests/documents.rs, beside what writes documents, as `no_answer_has_more_objects_than_its_cost` and
//!   `no_answer_to_a_user_has_more_objects_than_its_cost`
//! - aliases 30: `queries::aliases_30_pass_and_31_are_refused`
//! - root fields 20: `queries::root_fields_20_pass_and_21_are_refused`
//! - tokens 5,000: `queries::tokens_5_000_pass_and_5_001_are_refused`
//! - directives 10 a field: `queries::directives_10_on_a_field_pass_and_11_are_refused`
//! - operations 50, fragments 200 and variables 100 of a document: `queries::operations_50_pass_and_51_are_refused` and so on
//! - page size 100: `queries::page_size_100_passes_and_101_is_refused`
//! - JSON body 1 MiB: `bodies::json_body_of_1_mib_passes_and_a_byte_more_is_refused`
//! - variables' depth 32: `bodies::variables_depth_32_passes_and_33_is_refused`
//! - batches off, and 10 operations in one where they are on: `batches::no_batch_is_taken_where_nothing_is_set`,
//!   `batches::operations_10_in_a_batch_pass_and_11_are_refused`; each counted by every limiter:
//!   `batches::each_operation_is_charged_to_the_budget`, `batches::each_operation_that_misses_is_a_miss`,
//!   `batches::each_guess_at_a_password_is_one`
//! - upload 50 MiB: `bodies::upload_of_50_mib_passes_and_a_byte_more_is_refused`; before all of it is taken: stays in
//!   tests/jobs/files.rs, whose helpers look for what is left, as `a_file_over_the_limit_is_refused_before_all_of_it_is_taken`
//! - 10 uploads a minute a user: stays in tests/jobs/files.rs, for the same helpers, as
//!   `nobody_sends_more_than_ten_files_within_a_minute`
//! - every list argument, itself or in an input: `lists::each_list_of_an_argument_takes_its_maximum_and_no_more`, which walks
//!   the schema, `lists::ids_1_000_in_a_mutation_pass_and_1_001_are_refused` and
//!   `lists::ids_100_in_a_query_pass_and_101_are_refused`; that each declares its maximum, and so does each
//!   list that is returned: `lists::every_list_says_how_long_it_may_be`
//! - 20 subscriptions a socket: `sockets::subscriptions_20_on_a_socket_pass_and_the_21st_ends_it`
//! - `connection_init` within 10 s: `sockets::connection_init_comes_within_10_s_or_not_at_all`
//! - a ping every 20 s: stays in tests/sockets.rs, beside what speaks plain TCP, as
//!   `who_answers_pings_stays_and_who_does_not_is_let_go`
//! - request deadline 10 s: `deadlines::request_deadline_10_s`,
//!   `deadlines::a_mutation_that_is_late_is_refused_and_done_all_the_same`; of its headers and body: stays in tests/sockets.rs, beside
//!   what speaks plain TCP, as `half_a_request_does_not_stay`; of files
//!   64 KiB a second: stays in tests/uploads.rs, beside what speaks of files, as
//!   `a_file_may_take_longer_than_a_request_but_not_for_ever`
//! - statement deadline 5 s for requests: `deadlines::statement_deadline_5_s_for_requests`
//! - 60 s for jobs, none for migrations and COPY: `deadlines::statement_deadline_60_s_for_jobs_and_none_for_bulk_work`,
//!   `deadlines::on_sqlite_too_what_requests_have_is_not_the_end_of_jobs_and_bulk_work`
//! - introspection in production: `introspection::introspection_in_production_is_for_administrators_only`
//! - no "did you mean" hints: `introspection::no_hint_says_what_was_meant`
//! - the leaky bucket by cost: a file of its own in tests/security, budgets.rs; to the point, and with three servers on one
//!   Redis: stays in tests/buckets.rs, which speaks to Redis itself

mod batches;
mod bodies;
mod deadlines;
mod introspection;
mod lists;
mod queries;
mod sockets;

use serde_json::Value;

use crate::harness::{TestApp, post, refusal, send};

/// Asserts that what is asked is answered in full.
async fn passes(app: &TestApp, asked: &Value) -> Value {
    let answer = send(post(app).json(asked)).await;
    let status = answer.status();
    let body: Value = answer.json().await.expect("JSON");
    assert!(status == 200 && body["data"].is_object() && body.get("errors").is_none(), "{status}: {body}");
    body
}

/// Asserts that what is asked is refused as a whole, and costs no statement.
async fn refused(app: &TestApp, asked: &Value, code: &str) {
    let before = app.statements();
    assert_eq!(refusal(post(app).json(asked)).await, (400, code.to_owned()));
    assert_eq!(app.statements(), before, "nothing is executed");
}
