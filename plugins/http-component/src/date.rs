//! The Date field (RFC 9110, 5.6.7 and 6.6.1): a point in time as an IMF-fixdate.

use guest_kit::calendar::civil;

/// How long such a date is, in bytes.
pub const LENGTH: usize = 29;

const DAYS: &[u8] = b"ThuFriSatSunMonTueWed";
const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

/// The date of a number of seconds since 1970-01-01T00:00:00Z. Years have four digits: it wraps after 9999.
pub fn format(seconds: u64) -> [u8; LENGTH] {
    let days = seconds / 86_400 % 2_932_897;
    let (year, month, day) = civil(days);
    let mut text = *b"Thu, 00 Jan 0000 00:00:00 GMT";
    let name = days as usize % 7 * 3;
    text[..3].copy_from_slice(&DAYS[name..name + 3]);
    two(&mut text[5..], day);
    let name = (month as usize - 1) * 3;
    text[8..11].copy_from_slice(&MONTHS[name..name + 3]);
    two(&mut text[12..], year / 100);
    two(&mut text[14..], year % 100);
    two(&mut text[17..], seconds / 3600 % 24);
    two(&mut text[20..], seconds / 60 % 60);
    two(&mut text[23..], seconds % 60);
    text
}

fn two(text: &mut [u8], number: u64) {
    text[0] = b'0' + (number / 10) as u8;
    text[1] = b'0' + (number % 10) as u8;
}

#[cfg(test)]
mod tests {
    use super::format;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            assert_eq!(core::str::from_utf8(&format(seconds)).unwrap(), text);
        }
    }
}
