//! Points in time as year, month, day, hour, minute and second, in the Gregorian calendar and UTC.

/// The names of the months, in three letters each.
const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
/// The days from 1970-01-01 to the end of the year 9999: years have four digits.
const DAYS: u64 = 2_932_897;

/// A date and a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub year: u64,
    /// From 1 on.
    pub month: u64,
    /// From 1 on.
    pub day: u64,
    pub hour: u64,
    pub minute: u64,
    pub second: u64,
}

impl Moment {
    /// The moment a number of seconds after 1970-01-01T00:00:00Z. It wraps after the year 9999.
    pub fn after_epoch(seconds: u64) -> Self {
        let (year, month, day) = civil(seconds / 86_400 % DAYS);
        Self {
            year,
            month,
            day,
            hour: seconds / 3600 % 24,
            minute: seconds / 60 % 60,
            second: seconds % 60,
        }
    }

    /// The name of the month, in three letters.
    pub fn month_name(&self) -> &'static str {
        let at = (self.month as usize).saturating_sub(1) * 3;
        MONTHS.get(at..at + 3).unwrap_or("???")
    }
}

/// Year, month and day of a number of days since 1970-01-01.
///
/// Years are counted from March, so that the leap day is the last of its year; 400 years have 146 097 days.
pub fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, (1970, 1, 1, 0, 0, 0)),
            (784_111_777, (1994, 11, 6, 8, 49, 37)),
            (951_782_400, (2000, 2, 29, 0, 0, 0)),
            (4_107_542_399, (2100, 2, 28, 23, 59, 59)),
            (253_402_300_799, (9999, 12, 31, 23, 59, 59)),
        ] {
            let at = Moment::after_epoch(seconds);
            let found = (at.year, at.month, at.day, at.hour, at.minute, at.second);
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn months_have_their_names() {
        assert_eq!(Moment::after_epoch(0).month_name(), "Jan");
        assert_eq!(Moment::after_epoch(253_402_300_799).month_name(), "Dec");
    }
}
