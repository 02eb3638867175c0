;; A guest that spends no time of its own: it allocates by moving a pointer, which each `take` moves back.
(component
  (import "bench:guest/host@0.1.0" (instance $host
    (export "sum" (func (param "a" u32) (param "b" u32) (result u32)))))
  (core func $sum (canon lower (func $host "sum")))

  (core module $main
    (import "host" "sum" (func $sum (param i32 i32) (result i32)))
    (memory (export "memory") 64)
    (global $top (mut i32) (i32.const 4096))

    ;; Pointer and length of what was taken lie at 16 and 20, which is what `give` returns.
    (func (export "take") (param i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0))
      (i32.store (i32.const 20) (local.get 1))
      (global.set $top (i32.const 4096))
      (local.get 1))
    (func (export "give") (result i32) (i32.const 16))

    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "spin") (param $times i32) (result i32) (local $total i32)
      (block $done (loop $again
        (br_if $done (i32.eqz (local.get $times)))
        (local.set $total (call $sum (local.get $total) (i32.const 2)))
        (local.set $times (i32.sub (local.get $times) (i32.const 1)))
        (br $again)))
      (local.get $total))

    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $found i32)
      (local.set $found (i32.and
        (i32.add (global.get $top) (i32.sub (local.get 2) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get 2))))
      (global.set $top (i32.add (local.get $found) (local.get 3)))
      (local.get $found))
    ;; PADDING
  )
  (core instance $main (instantiate $main (with "host" (instance (export "sum" (func $sum))))))
  (alias core export $main "memory" (core memory $memory))
  (alias core export $main "realloc" (core func $realloc))

  (type $row' (record (field "name" string) (field "id" u32) (field "ratio" (option f64))))
  (export $row "row" (type $row'))
  (func $add (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $main "add")))
  (func $spin (param "times" u32) (result u32) (canon lift (core func $main "spin")))
  (func $take-bytes (param "data" (list u8)) (result u32)
    (canon lift (core func $main "take") (memory $memory) (realloc $realloc)))
  (func $give-bytes (result (list u8)) (canon lift (core func $main "give") (memory $memory)))
  (func $take-text (param "text" string) (result u32)
    (canon lift (core func $main "take") (memory $memory) (realloc $realloc)))
  (func $give-text (result string) (canon lift (core func $main "give") (memory $memory)))
  (func $take-numbers (param "numbers" (list u32)) (result u32)
    (canon lift (core func $main "take") (memory $memory) (realloc $realloc)))
  (func $give-numbers (result (list u32)) (canon lift (core func $main "give") (memory $memory)))
  (func $take-reals (param "reals" (list f64)) (result u32)
    (canon lift (core func $main "take") (memory $memory) (realloc $realloc)))
  (func $give-reals (result (list f64)) (canon lift (core func $main "give") (memory $memory)))
  (func $take-rows (param "rows" (list $row)) (result u32)
    (canon lift (core func $main "take") (memory $memory) (realloc $realloc)))
  (func $give-rows (result (list $row)) (canon lift (core func $main "give") (memory $memory)))
  (instance $calls
    (export "row" (type $row))
    (export "add" (func $add))
    (export "spin" (func $spin))
    (export "take-bytes" (func $take-bytes))
    (export "give-bytes" (func $give-bytes))
    (export "take-text" (func $take-text))
    (export "give-text" (func $give-text))
    (export "take-numbers" (func $take-numbers))
    (export "give-numbers" (func $give-numbers))
    (export "take-reals" (func $take-reals))
    (export "give-reals" (func $give-reals))
    (export "take-rows" (func $take-rows))
    (export "give-rows" (func $give-rows)))
  (export "bench:guest/calls@0.1.0" (instance $calls)))
