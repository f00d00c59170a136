// What a host asks its disks for: single frames all over the disk, so many at a time, for ever.
#pragma once

#include "base/ids.h"
#include "base/prng.h"

#include <cstdint>

namespace aoe::sim {

// Places of one disk in an order without pattern, each once before any comes again (a linear
// congruential generator over a power of two, behind a fixed mixing).
class LoadPattern {
 public:
  // `places` of `sectors` each; a power of two.
  struct Shape {
    std::uint64_t places = 4096;
    std::uint64_t sectors = 2;
  };

  LoadPattern(Shape shape, Prng random)
      : shape_(shape), state_(random.below(shape.places)), step_(random.below(shape.places) | 1U) {}

  [[nodiscard]] Lba next() {
    state_ = (state_ * 1'664'525U + step_) & (shape_.places - 1);
    return Lba{state_ * shape_.sectors};
  }

 private:
  Shape shape_;
  std::uint64_t state_;
  std::uint64_t step_;
};

}  // namespace aoe::sim
