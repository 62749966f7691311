//! The program as a process.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    os::fd::OwnedFd,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use reqwest::{Method, RequestBuilder};
pub use rustix::process::Signal;

use super::{HANGS, TestDatabase, client, secrets};

/// The result of a process.
#[derive(Debug)]
pub struct Done {
    /// The exit status, or -1 after a signal.
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Done {
    /// Checks the exit status.
    #[track_caller]
    pub fn expect(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// Returns standard error without the audit log.
    pub fn said(&self) -> String {
        let lines = self.err.lines().filter(|line| !line.contains(" audit: "));
        lines.fold(String::new(), |said, line| said + line + "\n")
    }

    /// Checks that the program failed with a one-line message that contains these words.
    #[track_caller]
    pub fn refused(self, words: &str) {
        let Self { status, out, err } = &self;
        assert_eq!((*status, out.as_str()), (1, ""), "{self:?}");
        let last = err.lines().last().expect("a line that says why");
        assert!(last.starts_with("reelshelf: ") && last.contains(words), "{words:?}: {self:?}");
        assert!(!err.contains("panicked"), "{self:?}");
    }
}

fn command(arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reelshelf"));
    command.args(arguments).env_clear().envs(environment.iter().copied());
    // Tests of the log level set `RUST_LOG` themselves.
    if secrets::are_sought() && environment.iter().all(|(name, _)| *name != "RUST_LOG") {
        command.env("RUST_LOG", "trace");
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs the program with an empty standard input and only this environment.
pub fn run_with(arguments: &[&str], environment: &[(&str, &str)]) -> Done {
    run_with_input(arguments, environment, b"")
}

/// Runs the program with this standard input and only this environment.
pub fn run_with_input(arguments: &[&str], environment: &[(&str, &str)], input: &[u8]) -> Done {
    finish(command(arguments, environment), input)
}

/// Runs the program while nobody reads its standard output.
pub fn run_unread(arguments: &[&str], environment: &[(&str, &str)]) -> Done {
    run_on(arguments, environment, Some(unread()), None)
}

/// Returns a pipe whose reader is closed.
pub fn unread() -> Stdio {
    let (_, writer) = std::io::pipe().expect("a pipe");
    writer.into()
}

/// Returns `/dev/full`, which cannot be written.
pub fn full() -> Stdio {
    std::fs::File::options().write(true).open("/dev/full").expect("a device").into()
}

/// Runs the program with the given standard streams, which are not read.
pub fn run_on(
    arguments: &[&str],
    environment: &[(&str, &str)],
    out: Option<Stdio>,
    err: Option<Stdio>,
) -> Done {
    let mut command = command(arguments, environment);
    command.stdin(Stdio::null());
    command.stdout(out.unwrap_or_else(Stdio::piped)).stderr(err.unwrap_or_else(Stdio::piped));
    let output = command.output().expect("the program runs");
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).expect("text"));
    Done { status: output.status.code().unwrap_or(-1), out, err }
}

/// Limits the size of files, like a full disk: by the shell's `ulimit`, in units of 512 bytes.
fn limited(units: u32, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    within_limits(&format!(r#"trap "" XFSZ; ulimit -f {units}"#), arguments, environment)
}

/// Runs the program with limits set by a shell.
fn within_limits(limits: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let script = format!(r#"{limits}; exec "$0" "$@""#);
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_reelshelf")]).args(arguments);
    command.env_clear().envs(environment.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command on a database whose files are limited in units of 512 bytes.
pub fn run_limited(database: &TestDatabase, units: u32, arguments: &[&str]) -> Done {
    finish(limited(units, arguments, &[("REELSHELF_DATABASE", &database.address)]), b"")
}

/// Runs a command on a database with this standard input.
pub fn run(database: &TestDatabase, arguments: &[&str], input: &str) -> Done {
    finish(command(arguments, &[("REELSHELF_DATABASE", &database.address)]), input.as_bytes())
}

fn finish(mut command: Command, input: &[u8]) -> Done {
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let _ = stdin.write_all(input); // an error: it ended without reading
    drop(stdin);
    let (out, err) = (child.stdout.take().expect("a pipe"), child.stderr.take().expect("a pipe"));
    let (out, err) = (thread::spawn(|| text(out)), thread::spawn(|| text(err)));
    let status = await_end(&mut child);
    let (out, err) = (out.join().expect("text"), err.join().expect("text"));
    err.lines().for_each(secrets::note_line);
    Done { status, out, err }
}

fn text(mut pipe: impl Read) -> String {
    let mut text = String::new();
    pipe.read_to_string(&mut text).expect("text");
    text
}

pub fn await_end(child: &mut Child) -> i32 {
    let end = poll("the program ends", || child.try_wait().expect("a process of ours"));
    end.code().unwrap_or(-1)
}

/// Polls until there is a result.
#[track_caller]
pub fn poll<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < HANGS, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Collects lines until the end of the input.
pub fn collect(lines: impl Read + Send + 'static, log: Arc<Mutex<String>>) -> JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(lines).lines() {
            let line = line.expect("text");
            secrets::note_line(&line);
            let mut log = log.lock().expect("a log");
            log.push_str(&line);
            log.push('\n');
        }
    })
}

/// A running `reelshelf serve`, killed when dropped.
pub struct Program {
    child: Child,
    /// Its URL, such as `http://127.0.0.1:49152`.
    pub base: String,
    pub client: reqwest::Client,
    out: Option<JoinHandle<String>>,
    err: Option<JoinHandle<()>>,
    log: Arc<Mutex<String>>,
}

impl Program {
    pub fn start(database: &TestDatabase) -> Self {
        Self::start_with(database, &[], &[])
    }

    /// Starts the service on a free port and waits until it is ready.
    pub fn start_with(database: &TestDatabase, options: &[&str], environment: &[(&str, &str)]) -> Self {
        let database = ("REELSHELF_DATABASE", database.address.as_str());
        Self::start_in(&[&[database], environment].concat(), options)
    }

    /// Does the same with files limited in units of 512 bytes.
    pub fn start_limited(
        database: &TestDatabase,
        units: u32,
        options: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let arguments = [&["serve", "--listen", "127.0.0.1:0"], options].concat();
        let environment = [&[("REELSHELF_DATABASE", database.address.as_str())], environment].concat();
        Self::spawn(limited(units, &arguments, &environment).stdin(Stdio::null()))
    }

    /// Does the same with a limited number of open files.
    pub fn start_with_open_files(database: &TestDatabase, files: u64) -> Self {
        let environment = [("REELSHELF_DATABASE", database.address.as_str())];
        let arguments = ["serve", "--listen", "127.0.0.1:0"];
        let mut command = within_limits(&format!("ulimit -n {files}"), &arguments, &environment);
        Self::spawn(command.stdin(Stdio::null()))
    }

    /// Does the same with another standard error, which is not read.
    pub fn start_with_stderr(database: &TestDatabase, environment: &[(&str, &str)], err: Stdio) -> Self {
        let database = ("REELSHELF_DATABASE", database.address.as_str());
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--log-format", "json"];
        let mut command = command(&arguments, &[&[database], environment].concat());
        Self::spawn(command.stdin(Stdio::null()).stderr(err))
    }

    /// Does the same with a standard output that cannot be written; the log has the address.
    pub fn start_unheard(database: &TestDatabase, out: Stdio) -> Self {
        let environment = [("REELSHELF_DATABASE", database.address.as_str())];
        let mut command = command(&["serve", "--listen", "127.0.0.1:0"], &environment);
        let mut child = command.stdin(Stdio::null()).stdout(out).spawn().expect("the program starts");
        let log = Arc::new(Mutex::new(String::new()));
        let err = child.stderr.take().map(|err| collect(err, log.clone()));
        let mut program = Self { child, base: String::new(), client: client([]), out: None, err, log };
        let line = program.await_log("the service listens on ");
        let (_, base) = line.split_once("the service listens on ").expect("an address");
        base.split_whitespace().next().expect("an address").clone_into(&mut program.base);
        program
    }

    /// Starts the service on a free port and waits until it responds, even if not ready.
    pub fn start_unready(database: &TestDatabase) -> Self {
        let environment = [("REELSHELF_DATABASE", database.address.as_str())];
        let mut command = command(&["serve", "--listen", "127.0.0.1:0"], &environment);
        let mut child = command.stdin(Stdio::null()).spawn().expect("the program starts");
        let log = Arc::new(Mutex::new(String::new()));
        let err = child.stderr.take().map(|err| collect(err, log.clone()));
        let out = child.stdout.take().map(|out| thread::spawn(|| text(out)));
        let mut program = Self { child, base: String::new(), client: client([]), out, err, log };
        let line = program.await_log("listen 127.0.0.1:");
        let (_, port) = line.split_once("listen 127.0.0.1:").expect("an address");
        let port: String = port.chars().take_while(char::is_ascii_digit).collect();
        program.base = format!("http://127.0.0.1:{port}");
        program
    }

    /// Starts the service like [`Program::start`]; the environment or the options name the database.
    pub fn start_in(environment: &[(&str, &str)], options: &[&str]) -> Self {
        let mut command = command(&[&["serve", "--listen", "127.0.0.1:0"], options].concat(), environment);
        Self::spawn(command.stdin(Stdio::null()))
    }

    /// Starts the service with an inherited socket, like systemd, and waits until it is ready.
    pub fn start_given(
        database: &TestDatabase,
        socket: &TcpListener,
        name: &str,
        listen: &str,
        environment: &[(&str, &str)],
    ) -> Self {
        let script = r#"LISTEN_PID=$$ exec "$0" serve --listen "$1" 3<&0 0</dev/null"#;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script, env!("CARGO_BIN_EXE_reelshelf"), listen]);
        command.env_clear().envs(environment.iter().copied());
        command.env("REELSHELF_DATABASE", &database.address);
        command.env("LISTEN_FDS", "1").env("LISTEN_FDNAMES", name);
        let socket = socket.try_clone().expect("a socket");
        command.stdin(OwnedFd::from(socket)).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self::spawn(&mut command)
    }

    fn spawn(command: &mut Command) -> Self {
        let mut child = command.spawn().expect("the program starts");
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        let log = Arc::new(Mutex::new(String::new()));
        let err = child.stderr.take().map(|err| collect(err, log.clone()));
        let (ready, is_ready) = mpsc::channel();
        let out = thread::spawn(move || {
            let mut first = String::new();
            out.read_line(&mut first).expect("text");
            let _ = ready.send(first);
            text(out)
        });

        let mut program = Self { child, base: String::new(), client: client([]), out: Some(out), err, log };
        let line = is_ready.recv_timeout(HANGS).unwrap_or_default();
        let base = line.strip_prefix("listening on ").and_then(|line| line.strip_suffix('\n'));
        match base {
            Some(base) => base.clone_into(&mut program.base),
            None => panic!("not ready but {line:?}, {}", program.log()),
        }
        program
    }

    /// Returns standard error so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("a log").clone()
    }

    /// Waits for a line on standard error with this text and returns it.
    #[track_caller]
    pub fn await_log(&self, text: &str) -> String {
        poll(text, || self.log().lines().find(|line| line.contains(text)).map(str::to_owned))
    }

    /// Returns the one-time code of the set-up.
    pub fn setup_code(&self) -> String {
        let line = self.await_log("create the first owner");
        let (_, code) = line.split_once("/setup#code=").expect("a code");
        code.split(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c))
            .next()
            .expect("a code")
            .to_owned()
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// Returns its address without `http://`.
    pub fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// Returns the process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, signal).expect("a signal");
    }

    /// Limits its number of open files from now on. Returns the old limit.
    pub fn limit_open_files(&self, files: u64) -> u64 {
        use rustix::process::{Pid, Resource, Rlimit, prlimit};
        let process = Pid::from_child(&self.child);
        let hard = rustix::process::getrlimit(Resource::Nofile).maximum; // which it has of us
        let limit = Rlimit { current: Some(files), maximum: hard };
        let before = prlimit(Some(process), Resource::Nofile, limit).expect("a limit");
        before.current.expect("it has a limit")
    }

    /// Waits until it ends. Standard output does not include the first line.
    pub fn ended(mut self) -> Done {
        let status = await_end(&mut self.child);
        let out = self.out.take().map(|out| out.join().expect("text")).unwrap_or_default();
        self.err.take().into_iter().for_each(|err| err.join().expect("text"));
        Done { status, out, err: self.log() }
    }

    /// Stops it and waits.
    pub fn end(self) -> Done {
        self.signal(Signal::TERM);
        self.ended()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill(); // an error: it has ended
        let _ = self.child.wait();
    }
}
