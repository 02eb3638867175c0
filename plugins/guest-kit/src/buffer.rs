//! Bytes that came in and wait to be used, or wait to go out: a queue that costs nothing while it is empty.

use alloc::vec::Vec;

#[derive(Debug, Default)]
pub struct Buffer {
    data: Vec<u8>,
    start: usize,
}

impl Buffer {
    pub fn len(&self) -> usize {
        self.data.len() - self.start
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn bytes(&self) -> &[u8] {
        &self.data[self.start..]
    }

    /// Puts bytes behind those that are there; takes them over as they are where there are none.
    pub fn append(&mut self, bytes: Vec<u8>) {
        if self.is_empty() {
            self.data = bytes;
            self.start = 0;
        } else {
            self.extend(&bytes);
        }
    }

    /// Puts a copy of bytes behind those that are there.
    pub fn extend(&mut self, bytes: &[u8]) {
        self.open().extend_from_slice(bytes);
    }

    /// The bytes, to be written behind.
    pub fn open(&mut self) -> &mut Vec<u8> {
        if self.start > 0 {
            self.data.drain(..self.start);
            self.start = 0;
        }
        &mut self.data
    }

    /// Forgets the first `count` bytes, and the memory with the last of them.
    pub fn consume(&mut self, count: usize) {
        self.start += count;
        if self.start == self.data.len() {
            *self = Self::default();
        }
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The first `count` bytes, taken out; the memory moves with them where those are all.
    pub fn take(&mut self, count: usize) -> Vec<u8> {
        if self.start == 0 && count == self.data.len() {
            return core::mem::take(self).data;
        }
        let taken = self.bytes()[..count].to_vec();
        self.consume(count);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_out_in_the_order_in_which_they_went_in() {
        let mut buffer = Buffer::default();
        buffer.append(b"one".to_vec());
        buffer.consume(1);
        buffer.extend(b" two");
        assert_eq!(buffer.bytes(), b"ne two");
        assert_eq!(buffer.take(2), b"ne");
        assert_eq!(buffer.take(4), b" two");
        assert!(buffer.is_empty());
    }

    #[test]
    fn an_empty_buffer_holds_no_memory() {
        let mut buffer = Buffer::default();
        buffer.append(vec![0; 4096]);
        buffer.consume(4096);
        assert_eq!(buffer.data.capacity(), 0);
    }
}
