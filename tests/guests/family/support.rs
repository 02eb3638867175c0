//! What every guest without `std` brings: an allocator that counts and checks, and what to do when something is wrong.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU64, Ordering};

/// The allocator, counting what it gives out, and holding those who give it back to the layout that they asked for.
struct Counting(UnsafeCell<dlmalloc::Dlmalloc>);

// SAFETY: a component instance has one thread.
unsafe impl Sync for Counting {}

/// The layout of memory that is given out lies before it.
type Header = Layout;

/// What memory holds before it is written, and after it has been given back.
const NOTHING: u8 = 0xa5;

/// Where memory begins in what is really allocated for it, and the layout of that.
unsafe fn real(layout: Layout) -> (usize, Layout) {
    let align = layout.align().max(align_of::<Header>());
    let offset = size_of::<Header>().next_multiple_of(align);
    (offset, Layout::from_size_align_unchecked(offset + layout.size(), align))
}

static ALLOCATED: AtomicU64 = AtomicU64::new(0);

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size() as u64, Ordering::Relaxed);
        let (offset, real) = real(layout);
        let memory = (*self.0.get()).malloc(real.size(), real.align()).add(offset);
        memory.cast::<Header>().sub(1).write(layout);
        memory.write_bytes(NOTHING, layout.size());
        memory
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size() as u64, Ordering::Relaxed);
        assert!(pointer.cast::<Header>().sub(1).read() == layout);
        let (offset, real) = real(layout);
        let begin = pointer.sub(offset);
        begin.write_bytes(NOTHING, real.size());
        (*self.0.get()).free(begin, real.size(), real.align());
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
