//! Reelshelf: a service for a film collection.
//!
//! | module | content |
//! |---|---|
//! | [`domain`] | types of movies, lists and users that only hold valid values |
//! | [`catalogue`] | the in-memory index of all movies |
//! | [`db`] | access to SQLite and PostgreSQL; all SQL |
//! | [`service`] | operations: rules, permissions, transactions |
//! | [`exchange`] | import and export |
//! | [`backup`] | the backup file format |
//! | [`documents`] | the JSON documents of the API, one type each |
//! | [`json`] | a strict JSON parser that reports all violations |
//! | [`format`] | formatting of numbers, lengths, ratings and times for people |
//! | [`output_file`] | atomic output files |
//! | [`limits`] | the limits of the server |
//! | [`http`] | the API and the pages |
//! | [`log`] | log filters |
//! | [`serve`] | the server: listening, readiness, graceful shutdown |
//! | [`cli`] | the command line |

pub mod backup;
pub mod catalogue;
pub mod cli;
pub mod db;
pub mod documents;
pub mod domain;
pub mod exchange;
pub mod format;
pub mod http;
pub mod json;
pub mod limits;
pub mod log;
pub mod output_file;
pub mod serve;
pub mod service;
