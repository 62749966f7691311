//! All limits of the service: what a client, a request or a file can use, and how long anything waits.
//!
//! The first line of each limit's documentation is its row in the table of `docs/security.md`; a test
//! compares both. Rules of single values, such as the length of a title, are in `domain/`.

use std::time::Duration;

/// A limit, as the table of `docs/security.md` shows it.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// What is limited.
    pub limit: &'static str,
    /// The limit with its unit, such as `1 MiB`, `30 s` or `10,000`.
    pub value: String,
}

/// Declares constants and lists them in `rows`.
macro_rules! limits {
    ($($(#[doc = $doc:literal])+ pub const $name:ident: $type:ty = $value:expr;)+) => {
        $($(#[doc = $doc])+ pub const $name: $type = $value;)+

        /// Returns all limits, in the order of this file.
        #[must_use]
        pub fn rows() -> Vec<Row> {
            vec![$(row(stringify!($name), &[$($doc),+], $name.into())),+]
        }
    };
}

limits! {
    // Connections

    /// Connections from one address, or from one IPv6 network of 64 bits.
    pub const MAX_CONNECTIONS_PER_ADDRESS: usize = 256;
    /// Connections that wait in the system's queue to be accepted.
    pub const MAX_WAITING_CONNECTIONS: u32 = 4096;
    /// Open files that are reserved for the database and for imports.
    pub const RESERVED_OPEN_FILES: u64 = 256;
    /// Concurrent requests on an HTTP/2 connection.
    pub const MAX_STREAMS_PER_CONNECTION: u32 = 32;
    /// Head of a request.
    pub const MAX_REQUEST_HEAD_BYTES: u32 = 64 * 1024;
    /// Unsent response data on an HTTP/2 stream.
    pub const MAX_STREAM_BUFFER_BYTES: usize = 64 * 1024;
    /// Time to send the whole head of a request, and after connecting the first one.
    pub const REQUEST_HEAD_WAIT: Duration = Duration::from_secs(20);
    /// Time without a request on a connection that had one.
    pub const IDLE_CONNECTION_WAIT: Duration = Duration::from_secs(120);
    /// Time without progress of a response that the client does not read.
    pub const UNREAD_ANSWER_WAIT: Duration = Duration::from_secs(30);
    /// Time for running requests to finish when the service stops.
    pub const SHUTDOWN_WAIT: Duration = Duration::from_secs(30);
    /// Time for accepted connections to send their first request when the service stops.
    pub const SHUTDOWN_FIRST_REQUEST_WAIT: Duration = Duration::from_secs(1);

    // Requests

    /// Total time that a request waits for the database: for the writer, a connection, a lock, a statement.
    pub const REQUEST_WAIT: Duration = Duration::from_secs(10);
    /// Time that the response to a change of many movies waits for its commit on SQLite.
    pub const LONG_COMMIT_WAIT: Duration = Duration::from_secs(60);
    /// Time that a request waits to record the use of its session.
    pub const SESSION_TOUCH_WAIT: Duration = Duration::from_secs(1);
    /// Time that `/health/ready` waits for the database.
    pub const HEALTH_WAIT: Duration = Duration::from_secs(2);
    /// Time without progress of the writer of SQLite while writes wait.
    pub const WRITER_STALL: Duration = Duration::from_secs(30);
    /// Time without data within the body of a request.
    pub const BODY_SILENCE_WAIT: Duration = Duration::from_secs(30);
    /// Body of a request with JSON or a form.
    pub const MAX_BODY_BYTES: usize = 1024 * 1024;
    /// Body of a batch.
    pub const MAX_BATCH_BYTES: usize = 8 * 1024 * 1024;
    /// Body of `POST /login` and `POST /setup`.
    pub const MAX_SIGN_IN_BODY_BYTES: usize = 256 * 1024;
    /// Time for the whole body of a request with JSON or a form, and for the rest of a body that is discarded.
    pub const BODY_WAIT: Duration = Duration::from_secs(60);
    /// Parameters of a query.
    pub const MAX_QUERY_PARAMETERS: usize = 100;
    /// Fields of a form, and JSON values of `POST /login` and `POST /setup`.
    pub const MAX_FORM_FIELDS: usize = 100;
    /// Fields of the form with the selected films, and of the form of an import.
    pub const MAX_SELECTION_FIELDS: usize = 1100;
    /// Films that the pages delete, or whose change they undo, without a second confirmation.
    pub const MAX_UNCONFIRMED_FILMS: u32 = 100;
    /// Values in a JSON text, counting the elements and members of all arrays and objects.
    pub const MAX_JSON_VALUES: usize = 200_000;
    /// Batches that are parsed concurrently.
    pub const MAX_BATCHES_PARSED: usize = 2;
    /// Concurrent imports and batches of a user.
    pub const MAX_BULK_WRITES_PER_USER: usize = 8;
    /// Operations of a batch.
    pub const MAX_BATCH_OPERATIONS: usize = 10_000;
    /// Rest of a body that is read after a rejection, so that the client can read the response.
    pub const MAX_DISCARDED_BODY_BYTES: usize = 64 * 1024 * 1024;
    /// Form that is stored while its sender signs in again.
    pub const MAX_PENDING_FORM_BYTES: usize = 64 * 1024;
    /// Characters of an `Idempotency-Key`.
    pub const MAX_IDEMPOTENCY_KEY_CHARS: usize = 255;

    // Searches

    /// Characters of a search.
    pub const MAX_SEARCH_CHARS: usize = 200;

    // Imports

    /// File of an import.
    pub const MAX_IMPORT_BYTES: u64 = 1024 * 1024 * 1024;
    /// Columns that the header of a CSV file names.
    pub const MAX_CSV_COLUMNS: usize = 1000;

    /// Files of all imports that are being sent or stored concurrently, on one instance.
    pub const MAX_SPOOLED_BYTES: u64 = 4 * 1024 * 1024 * 1024;
    /// Row of an import.
    pub const MAX_IMPORT_ROW_BYTES: usize = 1024 * 1024;
    /// File that the import page sends along with its form; a larger one must be chosen again.
    pub const MAX_IMPORT_PAGE_FILE_BYTES: usize = 256 * 1024;
    /// Content of an archive that `reelshelf import` unpacks.
    pub const MAX_ARCHIVE_BYTES: u64 = 1024 * 1024 * 1024;
    /// Content of an archive that the import page unpacks.
    pub const MAX_UPLOADED_ARCHIVE_BYTES: u64 = 32 * 1024 * 1024;

    // Answers

    /// Responses that are compressed concurrently; further ones are sent uncompressed.
    pub const MAX_ENCODERS: usize = 32;
    /// Violations that a problem document lists.
    pub const MAX_VIOLATIONS: usize = 1000;
    /// Errors that the report of an import lists.
    pub const MAX_REPORT_ERRORS: usize = 1000;
    /// Notes of each kind that the report of an import lists.
    pub const MAX_REPORT_NOTES: u64 = 1000;
    /// Rows that the preview of an import lists.
    pub const MAX_REPORT_PREVIEW_ROWS: u64 = 100;
    /// Movies that a fuzzy search returns.
    pub const MAX_FUZZY_MOVIES: usize = 100;
    /// Event streams of a user.
    pub const MAX_EVENT_STREAMS_PER_USER: usize = 16;
    /// Changes that an event stream can be behind.
    pub const MAX_EVENTS_BEHIND: usize = 1024;
    /// Time after which an event stream ends when its user, token or session has ended.
    pub const EVENT_STREAM_RECHECK_WAIT: Duration = Duration::from_secs(5);

    // Signing in

    /// Time without use after which a session ends.
    pub const SESSION_IDLE_WAIT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
    /// Time after which a session ends, however much it is used.
    pub const SESSION_LIFETIME: Duration = Duration::from_secs(90 * 24 * 60 * 60);
    /// Sessions of one user.
    pub const MAX_SESSIONS_PER_USER: usize = 100;
    /// Tokens of one user.
    pub const MAX_TOKENS_PER_USER: usize = 200;
    /// Time after which the one-time code of the set-up ends.
    pub const SETUP_CODE_LIFETIME: Duration = Duration::from_secs(60 * 60);
    /// Tokens, and as many sessions, that are cached until the next commit (SQLite).
    pub const MAX_REMEMBERED_SECRETS: usize = 1024;
    /// Session cookies of one request that are tried.
    pub const MAX_SESSION_COOKIES_TRIED: usize = 8;
    /// Sign-ins from one address that wait while another one is checked.
    pub const MAX_SIGN_INS_WAITING_PER_ADDRESS: usize = 32;
    /// Passwords that wait to be hashed.
    pub const MAX_PASSWORDS_WAITING: usize = 64;
    /// Passwords from one network (IPv6 /48, IPv4 /24) that are being hashed or wait.
    pub const MAX_PASSWORDS_WAITING_PER_NETWORK: usize = 16;

    // Audit log

    /// Time within which the audit log counts rejections of one kind, from one address, in one line.
    pub const AUDIT_REPEAT_WAIT: Duration = Duration::from_secs(60);
    /// Combinations of address, rejection, user and operation that the audit log counts separately.
    pub const MAX_AUDIT_SOURCES: usize = 1000;

    // PostgreSQL

    /// Connections of one instance to PostgreSQL, besides the one on which it listens.
    pub const MAX_DATABASE_CONNECTIONS: usize = 20;
    /// Connections for writes and long work, so that short reads never wait for them.
    pub const MAX_DATABASE_WRITE_CONNECTIONS: usize = 12;
    /// Attempts of a write that PostgreSQL rolled back because of another one.
    pub const MAX_WRITE_ATTEMPTS: usize = 4;
    /// Time for a PostgreSQL host to accept a connection, unless the address gives `connect_timeout`.
    pub const DATABASE_CONNECT_WAIT: Duration = Duration::from_secs(2);
    /// Time for one statement of long work on PostgreSQL: an import, restore, backup, undo or migration.
    pub const LONG_STATEMENT_WAIT: Duration = Duration::from_secs(10 * 60);
    /// Time that long work may leave its transaction idle, as a restore does while it makes a backup.
    pub const LONG_IDLE_WAIT: Duration = Duration::from_secs(10 * 60);
    /// Time to cancel an abandoned statement on PostgreSQL.
    pub const CANCEL_WAIT: Duration = Duration::from_secs(5);

    // Backups

    /// Ids, versions and counts in a restored backup: integers that every JSON reader can represent (RFC 8259).
    pub const MAX_RESTORED_NUMBER: u64 = (1 << 53) - 1;

    // The log

    /// Lines of the log that wait for standard error.
    pub const LOG_QUEUE_BYTES: usize = 1024 * 1024;
}

/// The value of a limit.
#[derive(Clone, Copy)]
enum Value {
    Number(u64),
    Time(Duration),
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(number as u64)
    }
}

impl From<Duration> for Value {
    fn from(time: Duration) -> Self {
        Self::Time(time)
    }
}

fn row(name: &str, doc: &[&'static str], value: Value) -> Row {
    let value = match value {
        Value::Time(time) => {
            in_units(time.as_secs(), &[(24 * 60 * 60, " d"), (60 * 60, " h"), (60, " min")], " s")
        }
        Value::Number(bytes) if name.ends_with("_BYTES") => {
            in_units(bytes, &[(1 << 30, " GiB"), (1 << 20, " MiB"), (1 << 10, " KiB")], " bytes")
        }
        Value::Number(number) => grouped(number),
    };
    let limit = doc.first().map_or("", |line| line.trim().trim_end_matches('.'));
    Row { limit, value }
}

/// Formats a number in the largest unit in which it is whole, or else in the smallest.
fn in_units(number: u64, units: &[(u64, &str)], smallest: &str) -> String {
    let whole = units.iter().find(|(size, _)| number > 0 && number.is_multiple_of(*size));
    let (size, unit) = whole.copied().unwrap_or((1, smallest));
    grouped(number / size) + unit
}

/// Formats a number with thousands separators.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_has_each_limit_with_its_value() {
        let page = include_str!("../docs/security.md");
        let section = page.split("\n## ").find(|section| section.starts_with("Limits\n")).expect("a section");
        let lines = section.lines().filter(|line| line.starts_with('|')).skip(2);
        let documented: Vec<(&str, &str)> = lines
            .map(|line| {
                let cells: Vec<&str> = line.split('|').map(str::trim).collect();
                assert_eq!(cells.len(), 5, "{line} has a limit, a value and an answer");
                (cells[1], cells[2])
            })
            .collect();
        let rows = rows();
        let declared: Vec<(&str, &str)> = rows.iter().map(|row| (row.limit, row.value.as_str())).collect();
        assert_eq!(documented, declared);
    }

    #[test]
    fn each_constant_of_this_file_is_in_the_table() {
        let here = include_str!("limits.rs");
        let constants = here.lines().filter(|line| line.trim_start().starts_with("pub const ")).count();
        assert_eq!(constants, rows().len());
    }

    #[test]
    fn values_are_shown_in_their_largest_whole_unit() {
        let shown = |name, value| row(name, &[" A limit."], value).value;
        assert_eq!(shown("MAX_THINGS", 10_000_u64.into()), "10,000");
        assert_eq!(shown("MAX_BYTES", 1_073_741_824_u64.into()), "1 GiB");
        assert_eq!(shown("MAX_BYTES", 1_000_000_u64.into()), "1,000,000 bytes");
        assert_eq!(shown("A_WAIT", Duration::from_secs(90).into()), "90 s");
        assert_eq!(shown("A_WAIT", Duration::from_secs(5 * 60).into()), "5 min");
    }
}
