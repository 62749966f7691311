//! Tracks the activity of a connection, to close it when its client does nothing.
//!
//! The service waits for a client in four ways: for its next request, for the head of a request, for its
//! socket to accept bytes, and for it to read a response body. Each has a limit. The last one is specific to
//! HTTP/2, where a client can block a stream while the socket is open; then nobody polls the body for its
//! next frame. A body without a frame, such as a quiet event stream, waits for the service and has no limit.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::http::Version;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::limits::{IDLE_CONNECTION_WAIT, REQUEST_HEAD_WAIT, UNREAD_ANSWER_WAIT};

/// The limits of waiting for a client.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    /// For the whole head of a request, and for the first request of a connection.
    pub head: Duration,
    /// For the next request.
    pub idle: Duration,
    /// For progress of a response.
    pub unread: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self { head: REQUEST_HEAD_WAIT, idle: IDLE_CONNECTION_WAIT, unread: UNREAD_ANSWER_WAIT }
    }
}

/// What the client did not do in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overdue {
    Head,
    Idle,
    Unread,
}

/// The activity of a connection.
pub struct Activity {
    waits: Waits,
    state: Mutex<State>,
}

struct State {
    /// The number of incomplete responses.
    requests: usize,
    /// Since when there has been no request.
    idle_since: Instant,
    /// Since when a head is incomplete: from its first byte (HTTP/1.1), or from the beginning of the connection.
    head_since: Option<Instant>,
    /// Since when the socket has accepted no bytes.
    blocked_since: Option<Instant>,
    /// For each response body, since when its last frame has been unread.
    unread_since: HashMap<u64, Instant>,
    answers: u64,
    /// Whether requests are HTTP/2: then received bytes need not belong to a request's head.
    is_http2: bool,
    /// Held until the first request arrives.
    unheard: Option<watch::Receiver<()>>,
}

impl State {
    fn new(now: Instant, unheard: watch::Receiver<()>) -> Self {
        Self {
            requests: 0,
            idle_since: now,
            head_since: Some(now),
            blocked_since: None,
            unread_since: HashMap::new(),
            answers: 0,
            is_http2: false,
            unheard: Some(unheard),
        }
    }

    fn read(&mut self, now: Instant) {
        if self.requests == 0 && !self.is_http2 {
            self.head_since.get_or_insert(now);
        }
    }

    fn begin_request(&mut self, version: Version) {
        self.requests += 1;
        self.is_http2 = version == Version::HTTP_2;
        self.head_since = None;
        self.unheard = None;
    }

    fn end_request(&mut self, now: Instant) {
        self.requests -= 1;
        self.idle_since = now;
    }

    /// Returns the next time limit of the client, and its kind.
    fn deadline(&self, waits: &Waits) -> Option<(Instant, Overdue)> {
        let unread = self.unread_since.values().chain(&self.blocked_since).min();
        let unread = unread.map(|since| (*since + waits.unread, Overdue::Unread));
        let is_idle = self.requests == 0;
        let idle = is_idle.then(|| (self.idle_since + waits.idle, Overdue::Idle));
        let head = self.head_since.filter(|_| is_idle).map(|since| (since + waits.head, Overdue::Head));
        [unread, head, idle].into_iter().flatten().min_by_key(|(at, _)| *at)
    }
}

impl Activity {
    /// Starts with a new connection; `unheard` is dropped when its first request arrives.
    pub fn new(waits: Waits, unheard: watch::Receiver<()>) -> Self {
        Self { waits, state: Mutex::new(State::new(Instant::now(), unheard)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes were received.
    pub fn read(&self) {
        self.state().read(Instant::now());
    }

    /// The socket has blocked or accepted bytes.
    pub fn blocked(&self, is_blocked: bool) {
        let mut state = self.state();
        if is_blocked {
            state.blocked_since.get_or_insert_with(Instant::now);
        } else {
            state.blocked_since = None;
        }
    }

    /// Waits until the client exceeds a limit.
    pub async fn overdue(&self) -> Overdue {
        let shortest = self.waits.head.min(self.waits.idle).min(self.waits.unread);
        loop {
            let now = Instant::now();
            let deadline = self.state().deadline(&self.waits);
            // Other limits may start meanwhile, but do not end before the shortest one.
            let look_again = now + shortest;
            match deadline {
                Some((at, overdue)) if at <= now => return overdue,
                Some((at, _)) => sleep_until(at.min(look_again)).await,
                None => sleep_until(look_again).await,
            }
        }
    }
}

/// A request until its response is complete: it ends when this and all clones are dropped.
pub struct Request {
    activity: Arc<Activity>,
}

impl Request {
    pub fn begin(activity: &Arc<Activity>, version: Version) -> Arc<Self> {
        activity.state().begin_request(version);
        Arc::new(Self { activity: activity.clone() })
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.activity.state().end_request(Instant::now());
    }
}

/// A response body. It waits for the client at its beginning and after each frame.
pub struct Answer {
    request: Arc<Request>,
    number: u64,
}

impl Answer {
    pub fn begin(request: Arc<Request>) -> Self {
        let mut state = request.activity.state();
        state.answers += 1;
        let number = state.answers;
        drop(state);
        let answer = Self { request, number };
        answer.waits_for_client();
        answer
    }

    /// A frame was sent, which the client must read.
    pub fn waits_for_client(&self) {
        self.request.activity.state().unread_since.insert(self.number, Instant::now());
    }

    /// The client has read enough to request the next frame.
    pub fn waits_for_service(&self) {
        self.request.activity.state().unread_since.remove(&self.number);
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.waits_for_service();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const WAITS: Waits = Waits {
        head: Duration::from_secs(20),
        idle: Duration::from_secs(120),
        unread: Duration::from_secs(30),
    };

    fn connected(now: Instant) -> State {
        State::new(now, watch::channel(()).1)
    }

    #[test]
    fn a_new_connection_has_the_time_of_a_head_for_its_first_request() {
        let start = Instant::now();
        let mut state = connected(start);
        state.read(start + 19 * SECOND); // does not extend the limit
        assert_eq!(state.deadline(&WAITS), Some((start + WAITS.head, Overdue::Head)));
        state.begin_request(Version::HTTP_11);
        assert_eq!(state.deadline(&WAITS), None, "the service is to answer");
    }

    #[test]
    fn after_an_answer_the_next_head_has_its_time_from_its_first_byte_on() {
        let start = Instant::now();
        let mut state = connected(start);
        state.begin_request(Version::HTTP_11);
        let end = start + 100 * SECOND;
        state.end_request(end);
        assert_eq!(state.deadline(&WAITS), Some((end + WAITS.idle, Overdue::Idle)));
        let first_byte = end + 50 * SECOND;
        state.read(first_byte);
        state.read(first_byte + 10 * SECOND);
        assert_eq!(state.deadline(&WAITS), Some((first_byte + WAITS.head, Overdue::Head)));
    }

    #[test]
    fn over_http2_an_acknowledgement_after_the_answer_is_no_head() {
        let start = Instant::now();
        let mut state = connected(start);
        state.begin_request(Version::HTTP_2);
        state.end_request(start);
        state.read(start + SECOND);
        assert_eq!(state.deadline(&WAITS), Some((start + WAITS.idle, Overdue::Idle)));
    }

    #[test]
    fn a_connection_is_idle_when_its_last_request_has_ended() {
        let start = Instant::now();
        let mut state = connected(start);
        state.begin_request(Version::HTTP_11);
        state.begin_request(Version::HTTP_11);
        state.end_request(start);
        assert_eq!(state.deadline(&WAITS), None);
        state.end_request(start + SECOND);
        assert_eq!(state.deadline(&WAITS), Some((start + SECOND + WAITS.idle, Overdue::Idle)));
    }

    #[tokio::test]
    async fn an_answer_waits_for_the_client_but_where_it_has_nothing_yet() {
        let activity = Arc::new(Activity::new(WAITS, watch::channel(()).1));
        let deadline = || activity.state().deadline(&WAITS).map(|(_, overdue)| overdue);
        let request = Request::begin(&activity, Version::HTTP_11);
        let (quiet, read) = (Answer::begin(request.clone()), Answer::begin(request));
        assert_eq!(deadline(), Some(Overdue::Unread), "nobody has asked for the first frame");
        quiet.waits_for_service();
        read.waits_for_service();
        assert_eq!(deadline(), None, "both are asked for a frame that they do not have");
        read.waits_for_client();
        assert_eq!(deadline(), Some(Overdue::Unread));
        drop(read);
        assert_eq!(deadline(), None);
        activity.blocked(true);
        assert_eq!(deadline(), Some(Overdue::Unread), "the socket takes no bytes");
        activity.blocked(false);
        assert_eq!(deadline(), None);
        drop(quiet);
        assert_eq!(deadline(), Some(Overdue::Idle));
    }
}
