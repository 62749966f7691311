//! The program at a pseudo-terminal.

use std::{
    io::{Read, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
};

use super::program::{Done, await_end, poll};

/// A program at a terminal, killed when dropped.
pub struct Terminal {
    child: Child,
    keyboard: ChildStdin,
    shown: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
    /// How much of the output was awaited already.
    seen: usize,
}

impl Terminal {
    /// Starts the program at a terminal with this number of columns and only this environment.
    pub fn start(columns: u16, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new("python3");
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/terminal.py"));
        command.arg(columns.to_string()).arg(env!("CARGO_BIN_EXE_reelshelf")).args(arguments).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("TERM", "xterm");
        command.envs(environment.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("python3 starts");
        let mut screen = child.stdout.take().expect("a pipe");
        let shown = Arc::new(Mutex::new(Vec::new()));
        let written = shown.clone();
        let reader = thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(read @ 1..) = screen.read(&mut piece) {
                written.lock().expect("a screen").extend_from_slice(&piece[..read]);
            }
        });
        let keyboard = child.stdin.take().expect("a pipe");
        Self { child, keyboard, shown, reader: Some(reader), seen: 0 }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().expect("a screen")).replace("\r\n", "\n")
    }

    /// Waits for a text in the output, behind what was awaited before.
    #[track_caller]
    pub fn await_text(&mut self, text: &str) {
        self.seen = poll(text, || {
            let shown = self.text();
            shown[self.seen..].find(text).map(|place| self.seen + place + text.len())
        });
    }

    /// Types keys, such as `\u{3}` for Ctrl-C.
    pub fn type_keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).and_then(|()| self.keyboard.flush()).expect("a keyboard");
    }

    /// Waits for a question and answers it.
    #[track_caller]
    pub fn answer(&mut self, question: &str, answer: &str) {
        self.await_text(question);
        self.type_keys(&format!("{answer}\n"));
    }

    /// Waits for a question and answers it once the terminal hides the keys.
    #[track_caller]
    pub fn answer_unseen(&mut self, question: &str, answer: &str) {
        self.await_text(question);
        self.type_keys(&format!("\0{answer}\n"));
    }

    /// Waits until it ends. Returns all output.
    pub fn ended(mut self) -> Done {
        let status = await_end(&mut self.child);
        self.reader.take().expect("not yet read").join().expect("a screen");
        Done { status, out: self.text(), err: String::new() }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill(); // an error: it has ended
        let _ = self.child.wait();
    }
}
