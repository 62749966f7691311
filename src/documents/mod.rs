//! The JSON documents of the API, one type each. Handlers write them, the command line reads them, and
//! `/openapi.json` describes them. A document from a client has a `read` function that reports all violations
//! at once.

mod batch;
mod change;
mod event;
mod health;
mod import_choice;
mod import_report;
mod me;
mod movie;
mod problem;
mod problem_kind;
pub(crate) mod schema;
mod session;
mod setup;
mod stats;
mod token;
mod user;
mod word;

pub use batch::{
    Batch, BatchDone, CreateOperation, DeleteOperation, Operation, OperationDone, UpdateOperation,
};
pub use change::{Change, Effect};
pub use event::ChangeEvent;
pub use health::{BackupState, Health, HealthState, Readiness, Ready};
pub use import_choice::{Choice, OnDuplicate, OnError, Source, TitleTooLong};
pub use import_report::{Note, NoteKind, Preview, Report, RowError, RowLabel, RowResult};
pub use me::{Login, Me, PasswordChange};
pub use problem::{Problem, Violation};
pub use problem_kind::{ProblemKind, ProblemPage};
pub use session::Session;
pub use setup::Setup;
pub use stats::Stats;
pub use token::{MadeToken, NewToken, Token};
pub use user::{NewUser, User, UserChanges};
pub use word::Word;
