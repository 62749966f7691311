//! The log, written to standard error by a separate thread. If standard error is closed, full or not read,
//! lines are lost; nothing else blocks or fails.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    io::{self, IsTerminal, Write},
    mem,
    panic::PanicHookInfo,
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
    thread::{self, ThreadId},
    time::Duration,
};

use clap::ValueEnum;
use tracing_subscriber::{Layer, fmt, layer::SubscriberExt, registry, util::SubscriberInitExt};

use crate::limits::LOG_QUEUE_BYTES;

/// How long a line waits for space in the queue. After that, standard error counts as stuck.
const WAIT_FOR_ROOM: Duration = Duration::from_secs(1);
/// How long the program waits at its end for the last lines.
const WAIT_FOR_END: Duration = Duration::from_secs(1);

/// The queue of the log.
static LOG: OnceLock<Arc<Queue>> = OnceLock::new();

/// The format of log lines.
#[derive(Clone, Copy, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

/// Starts the log, optionally with the audit log. Panics are logged, too.
///
/// # Errors
/// If `RUST_LOG` is invalid or no thread can be started.
pub fn start(format: LogFormat, audit: bool) -> anyhow::Result<()> {
    let filter = crate::log::filter(audit).map_err(anyhow::Error::msg)?;
    let queue = Arc::new(Queue::default());
    let written = queue.clone();
    let writer = thread::Builder::new().name("log".to_owned()).spawn(move || written.write_to(io::stderr))?;
    queue.state().writer = Some(writer.thread().id());

    let lines = queue.clone();
    let layer = fmt::layer().with_writer(move || Line(lines.clone()));
    let layer = layer.log_internal_errors(false); // they would go to standard error
    let layer = match format {
        LogFormat::Text => layer.with_ansi(io::stderr().is_terminal()).boxed(),
        LogFormat::Json => layer.json().boxed(),
    };
    registry().with(layer.with_filter(filter)).init();
    let _ = LOG.set(queue);
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Waits until all lines are written, unless standard error is stuck.
pub fn finish() {
    if let Some(queue) = LOG.get() {
        queue.finish(WAIT_FOR_END);
    }
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let message = panic.payload().downcast_ref::<String>().map(String::as_str);
    let message = message.or_else(|| panic.payload().downcast_ref::<&str>().copied());
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = thread::current();
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    tracing::error!(
        place,
        thread = thread.name(),
        backtrace,
        "panicked: {}",
        message.unwrap_or("no message")
    );
    finish(); // the program may exit next
}

/// The writer of one event.
struct Line(Arc<Queue>);

impl Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The lines that are not written yet.
#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<u8>,
    /// The number of bytes being written.
    writing: usize,
    /// Whether standard error is stuck, so that nobody waits for it.
    stuck: bool,
    lost_lines: usize,
    writer: Option<ThreadId>,
}

impl State {
    /// Returns whether a line fits. An empty queue accepts any line.
    fn has_room(&self, line: &[u8]) -> bool {
        let held = self.lines.len() + self.writing;
        held == 0 || held + line.len() <= LOG_QUEUE_BYTES
    }

    fn is_written(&self) -> bool {
        self.lines.is_empty() && self.writing == 0
    }
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a line. It is lost if there is no space in time.
    fn push(&self, line: &[u8]) {
        let mut state = self.state();
        if !state.has_room(line) && !state.stuck && state.writer != Some(thread::current().id()) {
            let full = |state: &mut State| !state.has_room(line) && !state.stuck;
            let waited = self.changed.wait_timeout_while(state, WAIT_FOR_ROOM, full);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.stuck |= !state.has_room(line);
        }
        if state.has_room(line) {
            state.lines.extend_from_slice(line);
        } else {
            state.lost_lines += 1;
        }
        drop(state);
        self.changed.notify_all();
    }

    fn finish(&self, at_most: Duration) {
        let state = self.state();
        if state.writer != Some(thread::current().id()) {
            let open = |state: &mut State| !state.is_written() && !state.stuck;
            let _ = self.changed.wait_timeout_while(state, at_most, open);
        }
    }

    /// Writes lines forever.
    fn write_to<W: Write>(&self, open: impl Fn() -> W) {
        let mut torn = false;
        loop {
            let waited = self.changed.wait_while(self.state(), |state| state.lines.is_empty());
            let mut state = waited.unwrap_or_else(PoisonError::into_inner);
            let lines = mem::take(&mut state.lines);
            state.writing = lines.len();
            drop(state);
            let lost = write_lines(open(), &lines, &mut torn);
            let mut state = self.state();
            state.writing = 0;
            state.stuck = false;
            state.lost_lines += lost;
            let reported = if lost == 0 { mem::take(&mut state.lost_lines) } else { 0 };
            drop(state);
            self.changed.notify_all();
            if reported > 0 {
                tracing::warn!(lines = reported, "a part of the log was lost: it could not be written");
            }
        }
    }
}

/// Writes lines and returns the number of lines not written. After a torn line it begins a new one.
fn write_lines(mut to: impl Write, lines: &[u8], torn: &mut bool) -> usize {
    if *torn {
        match to.write(b"\n") {
            Ok(1..) => *torn = false,
            _ => return count_lines(lines),
        }
    }
    let mut written = 0;
    while written < lines.len() {
        match to.write(&lines[written..]) {
            Ok(0) => break,
            Ok(more) => written += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    *torn = lines[..written].last().is_some_and(|last| *last != b'\n');
    count_lines(&lines[written..])
}

fn count_lines(lines: &[u8]) -> usize {
    lines.split_inclusive(|byte| *byte == b'\n').count()
}
