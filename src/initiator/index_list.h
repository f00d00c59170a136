// A doubly linked list of the numbers 0..n-1 without allocation: the links live in an array that
// several lists share, so a number is on at most one of them.
#pragma once

#include "base/check.h"
#include "base/fixed_array.h"

#include <cstdint>

namespace aoe::initiator {

inline constexpr std::uint32_t kNoIndex = 0xFFFFFFFF;

struct IndexLink {
  std::uint32_t previous = kNoIndex;
  std::uint32_t next = kNoIndex;
  bool linked = false;
};

using IndexLinks = FixedArray<IndexLink>;

class IndexList {
 public:
  [[nodiscard]] bool empty() const { return head_ == kNoIndex; }

  [[nodiscard]] std::uint32_t size() const { return size_; }

  [[nodiscard]] std::uint32_t front() const { return head_; }

  [[nodiscard]] static std::uint32_t next(const IndexLinks& links, std::uint32_t index) {
    return links[index].next;
  }

  void push_back(IndexLinks& links, std::uint32_t index) {
    AOE_CHECK(!links[index].linked, "a number is on one list only");
    links[index] = {.previous = tail_, .next = kNoIndex, .linked = true};
    (tail_ == kNoIndex ? head_ : links[tail_].next) = index;
    tail_ = index;
    ++size_;
  }

  void push_front(IndexLinks& links, std::uint32_t index) {
    AOE_CHECK(!links[index].linked, "a number is on one list only");
    links[index] = {.previous = kNoIndex, .next = head_, .linked = true};
    (head_ == kNoIndex ? tail_ : links[head_].previous) = index;
    head_ = index;
    ++size_;
  }

  void remove(IndexLinks& links, std::uint32_t index) {
    const IndexLink link = links[index];
    AOE_CHECK(link.linked, "only what is on a list is removed");
    (link.previous == kNoIndex ? head_ : links[link.previous].next) = link.next;
    (link.next == kNoIndex ? tail_ : links[link.next].previous) = link.previous;
    links[index] = {};
    --size_;
  }

  std::uint32_t pop_front(IndexLinks& links) {
    const std::uint32_t index = head_;
    remove(links, index);
    return index;
  }

 private:
  std::uint32_t head_ = kNoIndex;
  std::uint32_t tail_ = kNoIndex;
  std::uint32_t size_ = 0;
};

}  // namespace aoe::initiator
