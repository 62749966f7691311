//! Authentication: Basic, Bearer and browser sessions.

mod password;
mod passwords;
mod secrets;
mod session;
mod state;
mod still_valid;
mod throttle;
mod token;

pub use password::basic;
pub(super) use password::check_present_password;
pub use secrets::{Secret, TOKEN_PREFIX};
pub(super) use session::valid_after;
pub use session::{Browser, login, session};
pub(super) use state::AuthState;
pub(super) use still_valid::{begin_account_change, is_signed_in};
pub use throttle::subscriber;
pub use token::bearer;
