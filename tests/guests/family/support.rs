//! What every guest without `std` brings: an allocator that counts, and what to do when something is wrong.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU64, Ordering};

/// The allocator, counting what it gives out.
struct Counting(UnsafeCell<dlmalloc::Dlmalloc>);

// SAFETY: a component instance has one thread.
unsafe impl Sync for Counting {}

static ALLOCATED: AtomicU64 = AtomicU64::new(0);

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size() as u64, Ordering::Relaxed);
        (*self.0.get()).malloc(layout.size(), layout.align())
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size() as u64, Ordering::Relaxed);
        (*self.0.get()).free(pointer, layout.size(), layout.align());
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting(UnsafeCell::new(dlmalloc::Dlmalloc::new()));

/// Bytes that have been given out and not come back.
pub fn allocated() -> u64 {
    ALLOCATED.load(Ordering::Relaxed)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}

/// Compares bytes, as C does; a build without the target's C library has to bring it.
///
/// # Safety
/// Both pointers must be good for `count` bytes.
#[no_mangle]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, count: usize) -> i32 {
    for at in 0..count {
        let difference = i32::from(*a.add(at)) - i32::from(*b.add(at));
        if difference != 0 {
            return difference;
        }
    }
    0
}
