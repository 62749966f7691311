//! The JSON documents of the API, one type each. Handlers write them, the command line reads them, and
//! `/openapi.json` describes them. A document from a client has a `read` function that reports all violations
//! at once.

mod batch;
mod change;
mod health;
mod me;
mod movie;
pub(crate) mod schema;
mod session;
mod setup;
mod stats;
mod token;
mod user;

pub use batch::{BatchDone, OperationDone};
pub use change::{Change, Effect};
pub use health::{BackupState, Health, HealthState, Readiness, Ready};
pub use me::{Login, Me, PasswordChange};
pub use session::Session;
pub use setup::Setup;
pub use stats::Stats;
pub use token::{MadeToken, NewToken, Token};
pub use user::{NewUser, User, UserChanges};
