// The engine that lets the kernel do the work: one io_uring, no threads of ours.
#pragma once

#include "os/uring.h"
#include "storage/io_engine.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>

namespace aoe::storage {

// One system call per submitted batch, none to collect completions that have already arrived.
// Operations beyond the ring's size wait in a queue here and follow as the kernel takes others.
//
// May be opened on any thread; the one that submits first is the only one from then on, unless
// several are to take turns.
class UringEngine final : public IoEngine {
 public:
  static Result<std::unique_ptr<UringEngine>> open(std::uint32_t ring_entries,
                                                   os::UringIssuer issuer = os::UringIssuer::one);
  ~UringEngine() override;
  UringEngine(const UringEngine&) = delete;
  UringEngine& operator=(const UringEngine&) = delete;

  [[nodiscard]] std::string describe() const override;

  [[nodiscard]] int wait_fd() const override { return uring_.fd(); }

  void hold_memory(std::span<std::byte> memory) override {
    lent_memory_ = memory.first(std::min(memory.size(), kHeldMemoryBytes));
  }

  [[nodiscard]] bool has_arrived() const override {
    return uring_.has_completions() || IoEngine::has_arrived();
  }

  [[nodiscard]] bool wants_poll() const override {
    return !backlog_.empty() || has_unsubmitted_ || IoEngine::wants_poll();
  }

 private:
  struct Waiting {
    std::uint64_t user_data = 0;
    IoOp op;
    int held_file = kNotHeld;
  };

  explicit UringEngine(os::Uring uring) : uring_(std::move(uring)) {}

  [[nodiscard]] int hold(int fd) override;
  void let_go(int held_file) override;
  void start(std::uint64_t user_data, const IoOp& op, int held_file) override;
  void kick() override;
  void collect() override;
  [[nodiscard]] bool try_start(const Waiting& started);
  [[nodiscard]] bool is_held(const iovec& piece) const;
  void prepare(io_uring_sqe* sqe, const IoOp& op) const;
  void push_to_kernel();

  os::Uring uring_;
  std::span<std::byte> lent_memory_;  // that the kernel was not asked to hold yet
  std::span<std::byte> held_memory_;
  std::deque<Waiting> backlog_;
  bool has_unsubmitted_ = false;  // entries sit in the ring that the kernel has not taken
};

}  // namespace aoe::storage
