//! The throttle of failed sign-ins by client address.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::OwnedMutexGuard;

use crate::{domain::Time, limits::MAX_SIGN_INS_WAITING_PER_ADDRESS, service::Error};

/// The time window of the count.
const WINDOW: Duration = Duration::from_secs(60);
/// Failures for one account from one address, before further attempts are rejected.
const FOR_ONE_ACCOUNT: usize = 5;
/// Failures from one address, before further attempts are rejected.
const FROM_ONE_ADDRESS: usize = 20;
/// Above this number of addresses, those without recent failures are dropped.
const MANY_ADDRESSES: usize = 10_000;

/// The failed sign-ins of the last minute. Only attempts with a password are counted and rejected; tokens and
/// sessions continue to work.
#[derive(Default)]
pub(super) struct Throttle(Mutex<HashMap<IpAddr, Arc<tokio::sync::Mutex<Failures>>>>);

/// The failures from one address: time and account.
#[derive(Default)]
pub(super) struct Failures(VecDeque<(Time, String)>);

impl Throttle {
    /// Waits until no other attempt from this address is running.
    ///
    /// # Errors
    /// [`Error::Overloaded`] if too many attempts from this address wait.
    pub(super) async fn attempts_from(
        &self,
        address: IpAddr,
        now: Time,
    ) -> Result<OwnedMutexGuard<Failures>, Error> {
        let failures = {
            let mut addresses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if addresses.len() >= MANY_ADDRESSES {
                // Entries in use or with recent failures stay.
                let recent = |f: &Failures| f.0.back().is_some_and(|(at, _)| *at > now - WINDOW);
                addresses.retain(|_, f| Arc::strong_count(f) > 1 || f.try_lock().is_ok_and(|f| recent(&f)));
            }
            let failures = addresses.entry(subscriber(address)).or_default();
            // One reference is the map's, one belongs to the running attempt.
            if Arc::strong_count(failures) >= MAX_SIGN_INS_WAITING_PER_ADDRESS + 2 {
                return Err(Error::Overloaded);
            }
            failures.clone()
        };
        Ok(failures.lock_owned().await)
    }
}

/// Returns the address, or the /64 network of an IPv6 address, which usually belongs to one subscriber.
#[must_use]
pub fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) >> 64 << 64).into()),
        IpAddr::V4(v4) => IpAddr::V4(v4),
    }
}

impl Failures {
    /// Rejects the attempt after too many failures.
    pub(super) fn check(&mut self, account: &str, now: Time) -> Result<(), Error> {
        while self.0.front().is_some_and(|(at, _)| *at <= now - WINDOW) {
            self.0.pop_front();
        }
        let of_account: Vec<Time> = self.0.iter().filter(|(_, a)| a == account).map(|(at, _)| *at).collect();
        // The failure that must leave the window before the next attempt is allowed.
        let blocking = if of_account.len() >= FOR_ONE_ACCOUNT {
            Some(of_account[of_account.len() - FOR_ONE_ACCOUNT])
        } else if self.0.len() >= FROM_ONE_ADDRESS {
            Some(self.0[self.0.len() - FROM_ONE_ADDRESS].0)
        } else {
            None
        };
        match blocking {
            None => Ok(()),
            Some(at) => {
                let wait = (at + WINDOW).since(now).unwrap_or_default();
                let retry_after = (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1);
                Err(Error::TooManyAttempts { retry_after })
            }
        }
    }

    pub(super) fn note_failure(&mut self, account: String, now: Time) {
        self.0.push_back((now, account));
    }

    pub(super) fn forget(&mut self, account: &str) {
        self.0.retain(|(_, a)| a != account);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_millis(1_000_000);

    #[tokio::test]
    async fn five_failures_for_one_account_from_one_address_are_enough() {
        let throttle = Throttle::default();
        let here: IpAddr = "192.0.2.1".parse().unwrap();
        let mut failures = throttle.attempts_from(here, NOW).await.unwrap();
        for n in 0..5 {
            assert!(failures.check("olivia", NOW + Duration::from_secs(n)).is_ok());
            failures.note_failure("olivia".into(), NOW + Duration::from_secs(n));
        }
        let refused = failures.check("olivia", NOW + Duration::from_secs(4)).unwrap_err();
        assert!(matches!(refused, Error::TooManyAttempts { retry_after: 56 }), "{refused:?}");
        assert!(failures.check("pete", NOW + Duration::from_secs(4)).is_ok());
        let mut elsewhere = throttle.attempts_from("192.0.2.2".parse().unwrap(), NOW).await.unwrap();
        assert!(elsewhere.check("olivia", NOW).is_ok());
        assert!(failures.check("olivia", NOW + WINDOW - Duration::from_millis(1)).is_err());
        assert!(failures.check("olivia", NOW + WINDOW).is_ok());
    }

    #[tokio::test]
    async fn twenty_failures_from_one_address_are_enough_for_all_accounts() {
        let throttle = Throttle::default();
        let mut failures = throttle.attempts_from("2001:db8::1".parse().unwrap(), NOW).await.unwrap();
        for n in 0..20 {
            assert!(failures.check(&n.to_string(), NOW).is_ok(), "{n}");
            failures.note_failure(n.to_string(), NOW);
        }
        assert!(failures.check("olivia", NOW).is_err());
        drop(failures);
        let neighbour = "2001:db8::ffff:1".parse().unwrap();
        assert!(throttle.attempts_from(neighbour, NOW).await.unwrap().check("olivia", NOW).is_err());
        let elsewhere = "2001:db8:0:1::1".parse().unwrap();
        assert!(throttle.attempts_from(elsewhere, NOW).await.unwrap().check("olivia", NOW).is_ok());
    }

    #[test]
    fn a_mapped_address_is_the_address_it_maps() {
        assert_eq!(subscriber("::ffff:192.0.2.1".parse().unwrap()), "192.0.2.1".parse::<IpAddr>().unwrap());
    }

    #[tokio::test]
    async fn addresses_without_recent_failures_are_dropped_when_there_are_many() {
        let throttle = Throttle::default();
        let fail = async |n: usize, now| {
            let address = IpAddr::from(u32::try_from(n).unwrap().to_be_bytes());
            throttle.attempts_from(address, now).await.unwrap().note_failure("olivia".into(), now);
        };
        for n in 0..MANY_ADDRESSES {
            fail(n, NOW).await;
        }
        fail(MANY_ADDRESSES, NOW + WINDOW - Duration::from_millis(1)).await;
        assert_eq!(throttle.0.lock().unwrap().len(), MANY_ADDRESSES + 1, "all are recent");
        fail(0, NOW + WINDOW).await;
        assert_eq!(throttle.0.lock().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn only_so_many_attempts_from_one_address_wait() {
        let throttle = Arc::new(Throttle::default());
        let here: IpAddr = "2001:db8::1".parse().unwrap();
        let under_way = throttle.attempts_from(here, NOW).await.unwrap();
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..MAX_SIGN_INS_WAITING_PER_ADDRESS {
            let throttle = throttle.clone();
            waiting.spawn(async move { throttle.attempts_from(here, NOW).await.is_ok() });
        }
        let references = || Arc::strong_count(&throttle.0.lock().unwrap()[&subscriber(here)]);
        while references() < MAX_SIGN_INS_WAITING_PER_ADDRESS + 2 {
            tokio::task::yield_now().await;
        }
        let neighbour = "2001:db8::2".parse().unwrap();
        assert!(matches!(throttle.attempts_from(neighbour, NOW).await, Err(Error::Overloaded)));
        assert!(throttle.attempts_from("2001:db8:0:1::1".parse().unwrap(), NOW).await.is_ok());
        drop(under_way);
        assert!(waiting.join_all().await.into_iter().all(|ok| ok));
        assert!(throttle.attempts_from(neighbour, NOW).await.is_ok());
    }
}
