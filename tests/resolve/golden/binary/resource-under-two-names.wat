(component
  (import "a:b/t" (instance $t (export "r" (type (sub resource)))))
  (alias export $t "r" (type $r))
  (component $c
    (import "r" (type $r (sub resource)))
    (export "r1" (type $r))
    (export "r2" (type $r))
  )
  (instance $i (instantiate $c (with "r" (type $r))))
  (export "a:b/i" (instance $i))
)
