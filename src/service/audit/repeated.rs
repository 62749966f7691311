//! Counts repeated rejections, so that an attacker cannot fill the disk with log lines.

use std::{collections::HashMap, net::IpAddr};

use super::{
    Actor, Refusal,
    log::{TARGET, fields},
};
use crate::{
    domain::Time,
    limits::{AUDIT_REPEAT_WAIT, MAX_AUDIT_SOURCES},
    service::auth::subscriber,
};

/// The line of a rejection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    refusal: Refusal,
    user: Option<String>,
    via: String,
    network: Option<IpAddr>,
    address: Option<String>,
    request_id: Option<String>,
    subject: Option<String>,
}

impl Line {
    pub(super) fn new(actor: &Actor<'_>, refusal: Refusal, subject: Option<&str>) -> Self {
        let (user, address, request_id) = fields(actor);
        Self {
            refusal,
            user: user.map(str::to_owned),
            via: actor.via.clone().into_owned(),
            network: actor.request.map(|request| subscriber(request.address)),
            address,
            request_id: request_id.map(str::to_owned),
            subject: subject.map(str::to_owned),
        }
    }

    /// Writes the line with a count.
    pub(super) fn write(&self, count: u64) {
        let (event, detail) = self.refusal.line();
        tracing::warn!(target: TARGET, parent: None, event, outcome = "refused", user = self.user.as_deref(),
            via = self.via, address = self.address.as_deref(), request_id = self.request_id.as_deref(),
            subject = self.subject.as_deref(), detail, count);
    }

    /// Removes client, user and subject, to combine all further lines of one reason.
    fn of_anybody(self) -> Self {
        Self { network: None, user: None, address: None, request_id: None, subject: None, ..self }
    }

    fn key(&self) -> Key {
        (self.refusal, self.network, self.user.clone(), self.subject.clone())
    }
}

/// Rejections with the same key are counted together.
type Key = (Refusal, Option<IpAddr>, Option<String>, Option<String>);

/// The rejections since the last line with the same key.
struct Count {
    since: Time,
    more: u64,
    last: Line,
}

/// The rejections of the last minute by reason, network, user and operation. Each gets a line a minute.
#[derive(Default)]
pub(super) struct Repeated(HashMap<Key, Count>);

impl Repeated {
    /// Counts a rejection. Returns the lines to be written now, with their counts.
    pub(super) fn note(&mut self, line: Line, now: Time) -> Vec<(Line, u64)> {
        let mut lines = self.flush(now);
        let is_full = self.0.len() >= MAX_AUDIT_SOURCES && !self.0.contains_key(&line.key());
        let line = if is_full { line.of_anybody() } else { line };
        if let Some(count) = self.0.get_mut(&line.key()) {
            count.more += 1;
            count.last = line;
        } else {
            self.0.insert(line.key(), Count { since: now, more: 0, last: line.clone() });
            lines.push((line, 1));
        }
        lines
    }

    /// Returns the lines whose minute is over.
    pub(super) fn flush(&mut self, now: Time) -> Vec<(Line, u64)> {
        let mut lines = Vec::new();
        self.0.retain(|_, count| {
            // After the clock was set back, lines must not stay forever.
            if (count.since..count.since + AUDIT_REPEAT_WAIT).contains(&now) {
                return true;
            }
            let more = std::mem::take(&mut count.more);
            count.since = now;
            lines.extend((more > 0).then(|| (count.last.clone(), more)));
            more > 0
        });
        lines
    }

    /// Returns all remaining lines when the service ends.
    pub(super) fn finish(&mut self) -> Vec<(Line, u64)> {
        let counts = self.0.drain().filter(|(_, count)| count.more > 0);
        counts.map(|(_, count)| (count.last, count.more)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use crate::service::audit::RequestContext;

    const NOW: Time = Time::from_millis(1_000_000);
    const MILLI: Duration = Duration::from_millis(1);
    const MINUTE: Duration = Duration::from_secs(60);
    const ALMOST_A_MINUTE: Duration = Duration::from_millis(59_999);

    fn line(address: &str, refusal: Refusal) -> Line {
        let request = RequestContext { address: address.parse().unwrap(), id: "1".into() };
        Line::new(&Actor::unknown("token", &request), refusal, None)
    }

    fn counts(lines: &[(Line, u64)]) -> Vec<(Option<&str>, u64)> {
        lines.iter().map(|(line, count)| (line.address.as_deref(), *count)).collect()
    }

    #[test]
    fn what_one_address_repeats_is_written_once_a_minute_with_its_count() {
        let mut repeated = Repeated::default();
        let mut note = |after| repeated.note(line("192.0.2.1", Refusal::Token), NOW + after);
        assert_eq!(counts(&note(Duration::ZERO)), [(Some("192.0.2.1"), 1)]);
        for after in [MILLI, 2 * MILLI, ALMOST_A_MINUTE] {
            assert_eq!(note(after), [], "{after:?}");
        }
        assert_eq!(counts(&note(MINUTE)), [(Some("192.0.2.1"), 3)], "those of the minute that is over");
        assert_eq!(note(MINUTE + ALMOST_A_MINUTE), []);
        assert_eq!(counts(&repeated.flush(NOW + 2 * MINUTE)), [(Some("192.0.2.1"), 2)]);
        assert_eq!(repeated.flush(NOW + 3 * MINUTE), [], "nothing more");
        assert!(repeated.0.is_empty());
    }

    #[test]
    fn other_addresses_and_other_refusals_have_lines_of_their_own() {
        let mut repeated = Repeated::default();
        for (address, refusal, lines) in [
            ("192.0.2.1", Refusal::Token, 1),
            ("192.0.2.2", Refusal::Token, 1),
            ("192.0.2.1", Refusal::TooManyAttempts, 1),
            ("2001:db8::1", Refusal::Token, 1),
            ("2001:db8::2", Refusal::Token, 0), // the same /64 network
            ("2001:db8:0:1::1", Refusal::Token, 1),
        ] {
            assert_eq!(repeated.note(line(address, refusal), NOW).len(), lines, "{address}, {refusal:?}");
        }
        assert_eq!(counts(&repeated.finish()), [(Some("2001:db8::2"), 1)]);
    }

    #[test]
    fn from_too_many_addresses_they_are_counted_together() {
        let mut repeated = Repeated::default();
        let mut note = |n: usize| {
            let address = IpAddr::from(u32::try_from(n).unwrap().to_be_bytes());
            repeated.note(line(&address.to_string(), Refusal::Token), NOW)
        };
        for n in 0..MAX_AUDIT_SOURCES {
            assert_eq!(note(n).len(), 1, "{n}");
        }
        assert_eq!(counts(&note(MAX_AUDIT_SOURCES)), [(None, 1)]);
        assert_eq!(note(MAX_AUDIT_SOURCES + 1), []);
        assert_eq!(note(0), [], "a known one is still counted by itself");
        let mut written = repeated.finish();
        written.sort_by_key(|(line, _)| line.address.clone());
        assert_eq!(counts(&written), [(None, 1), (Some("0.0.0.0"), 1)]);
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nothing_for_ever() {
        let mut repeated = Repeated::default();
        repeated.note(line("192.0.2.1", Refusal::Token), NOW);
        assert_eq!(repeated.flush(NOW - MILLI), []);
        assert!(repeated.0.is_empty());
    }
}
