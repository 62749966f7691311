//! Collects all violations of an input, so that the client gets all of them at once.

use super::{Invalid, Violation};

/// A value, or a violation that is in its collector.
#[must_use]
#[derive(Debug)]
pub struct Checked<T>(Option<T>);

impl<T> Checked<T> {
    /// Returns the value if valid.
    pub const fn value(&self) -> Option<&T> {
        self.0.as_ref()
    }

    /// Returns the value if valid.
    pub fn into_value(self) -> Option<T> {
        self.0
    }

    /// Converts a valid value.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Checked<U> {
        Checked(self.0.map(make))
    }

    /// Combines two values if both are valid.
    pub fn zip<U>(self, other: Checked<U>) -> Checked<(T, U)> {
        Checked(self.0.zip(other.0))
    }

    /// Continues with a valid value.
    pub fn and_then<U>(self, read: impl FnOnce(T) -> Checked<U>) -> Checked<U> {
        Checked(self.0.and_then(|value| read(value).0))
    }
}

/// The violations found so far.
#[derive(Debug)]
pub struct Violations<V = Violation>(Vec<V>);

impl<V> Default for Violations<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<V> Violations<V> {
    /// Returns the value, or collects its violation.
    pub fn check<T>(&mut self, read: Result<T, V>) -> Checked<T> {
        Checked(read.map_err(|violation| self.0.push(violation)).ok())
    }

    /// Returns the value, or collects all its violations.
    pub fn check_all<T>(&mut self, read: Result<T, Vec<V>>) -> Checked<T> {
        Checked(read.map_err(|violations| self.0.extend(violations)).ok())
    }

    /// Adds a violation.
    pub fn push(&mut self, violation: V) {
        self.0.push(violation);
    }

    /// Returns the number of violations.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.0.len()
    }

    /// Returns the values, if there is no violation.
    ///
    /// # Errors
    /// All violations.
    pub fn finish<C: AllChecked>(self, checked: C) -> Result<C::Values, Vec<V>> {
        match checked.into_values() {
            Some(values) if self.0.is_empty() => Ok(values),
            _ => Err(self.0),
        }
    }
}

impl Violations {
    /// Returns the value of a field, or collects its violation.
    pub fn at<T>(&mut self, field: impl Into<String>, read: Result<T, Invalid>) -> Checked<T> {
        self.check(read.map_err(|invalid| Violation::at(field, invalid)))
    }

    /// Returns the value of an option, or collects its violation.
    pub fn in_option<T>(&mut self, name: impl Into<String>, read: Result<T, Invalid>) -> Checked<T> {
        self.check(read.map_err(|invalid| Violation::in_option(name, invalid)))
    }
}

/// A checked value or a tuple of them.
pub trait AllChecked {
    type Values;

    /// Returns the values, if all are valid.
    fn into_values(self) -> Option<Self::Values>;
}

impl<T> AllChecked for Checked<T> {
    type Values = T;

    fn into_values(self) -> Option<T> {
        self.0
    }
}

macro_rules! all_checked {
    ($($name:ident),*) => {
        impl<$($name: AllChecked),*> AllChecked for ($($name,)*) {
            type Values = ($($name::Values,)*);

            #[expect(non_snake_case, reason = "each value has the name of its type")]
            fn into_values(self) -> Option<Self::Values> {
                let ($($name,)*) = self;
                Some(($($name.into_values()?,)*))
            }
        }
    };
}

all_checked!(A, B);
all_checked!(A, B, C);
all_checked!(A, B, C, D);
all_checked!(A, B, C, D, E);

/// No value: only the violations matter.
impl AllChecked for () {
    type Values = ();

    fn into_values(self) -> Option<()> {
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_values_come_back_or_all_violations() {
        let mut violations = Violations::default();
        let one = violations.check::<_>(Ok::<_, &str>(1));
        let two = violations.check(Ok("two"));
        assert_eq!(violations.finish((one, two)), Ok((1, "two")));

        let mut violations = Violations::default();
        let one = violations.check(Err::<i32, _>("no one"));
        let two = violations.check(Ok(2));
        let three = violations.check_all(Err::<i32, _>(vec!["no three", "no four"]));
        assert_eq!(violations.count(), 3);
        assert_eq!((one.value(), two.value()), (None, Some(&2)));
        assert_eq!(violations.finish((one, two, three)), Err(vec!["no one", "no three", "no four"]));
    }

    #[test]
    fn a_violation_elsewhere_keeps_a_valid_value_back() {
        let mut violations = Violations::default();
        let one = violations.check(Ok(1));
        violations.push("something else");
        assert_eq!(violations.finish(one), Err(vec!["something else"]));
    }
}
