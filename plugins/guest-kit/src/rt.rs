//! What a guest without the standard library brings itself: an allocator and what happens on a panic.

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}

/// Compares bytes, as C does. The target's own library has it, a build of `core` and `alloc` alone does not.
///
/// # Safety
/// Both pointers must be good for `count` bytes.
#[no_mangle]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, count: usize) -> i32 {
    let mut at = 0;
    while at < count {
        let (x, y) = (*a.add(at), *b.add(at));
        if x != y {
            return i32::from(x) - i32::from(y);
        }
        at += 1;
    }
    0
}
