// Groups of operation kinds that several stores treat alike.
#pragma once

#include "base/store_op.h"

namespace aoe::storage {

// Whether an operation of this kind alters what later reads see, and so has a durability.
[[nodiscard]] constexpr bool changes_data(StoreOpKind kind) {
  return kind == StoreOpKind::write || kind == StoreOpKind::discard ||
         kind == StoreOpKind::write_zeroes;
}

// Whether operations of this kind carry bytes.
[[nodiscard]] constexpr bool moves_data(StoreOpKind kind) {
  return kind == StoreOpKind::read || kind == StoreOpKind::write;
}

}  // namespace aoe::storage
