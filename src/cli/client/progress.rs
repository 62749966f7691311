//! Progress bars on standard error, at a terminal only.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// The redraw interval without progress.
const REDRAW_INTERVAL: Duration = Duration::from_millis(100);

const WAITING: &str = "{spinner} {msg}  {elapsed}";

/// Returns a bar that shows nothing.
#[must_use]
pub fn none() -> ProgressBar {
    ProgressBar::hidden()
}

/// Counts bytes of an unknown total.
#[must_use]
pub fn bytes(what: &'static str) -> ProgressBar {
    started(ProgressBar::no_length(), "{spinner} {msg}  {binary_bytes}  {binary_bytes_per_sec}", what)
}

/// Counts bytes of a known total, with the remaining time.
#[must_use]
pub fn bytes_of(total: u64, what: &'static str) -> ProgressBar {
    let template = "{spinner} {msg}  {wide_bar} {binary_bytes} of {binary_total_bytes}  {binary_bytes_per_sec}  {eta} left";
    started(ProgressBar::new(total), template, what)
}

/// Shows that something takes time.
#[must_use]
pub fn waiting(what: &'static str) -> ProgressBar {
    started(ProgressBar::no_length(), WAITING, what)
}

/// Changes a bar to one that shows that something takes time.
pub fn wait(bar: &ProgressBar, what: &'static str) {
    draw(bar, WAITING, what);
}

/// Starts a bar, hidden if standard error is not a terminal.
fn started(bar: ProgressBar, template: &str, what: &'static str) -> ProgressBar {
    draw(&bar, template, what);
    bar.enable_steady_tick(REDRAW_INTERVAL);
    bar
}

fn draw(bar: &ProgressBar, template: &str, what: &'static str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(what);
}
