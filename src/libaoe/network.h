// The session that handles share, the lock around it, and who drives it.
#pragma once

#include "aoe/aoe.h"
#include "base/result.h"
#include "base/time.h"
#include "client/session.h"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace aoe::libaoe {

class Network;

// Session::open() with ENODEV for an interface that does not exist, which tells it from a target
// that is not there.
[[nodiscard]] Result<std::unique_ptr<client::Session>> open_session(
    const std::vector<std::string>& interfaces, PortKind port, std::uint32_t requests_max);

// A callback that is due. It runs without the lock.
struct Call {
  class Member* owner = nullptr;
  const char* name = "";  // of the call that started it, for its error text
  aoe_completion completion = nullptr;
  aoe_size_callback size_callback = nullptr;  // when there is no completion
  void* user_data = nullptr;
  std::int64_t size = 0;
  std::optional<Error> error{};

  void run() const;
};

// A handle, as its network sees it. Called with the lock held, by whoever drives.
class Member {
 public:
  // After every turn: takes what the session brought, tells its waiters, and appends callbacks.
  virtual void collect(std::vector<Call>& calls) = 0;
  // When it wants to be asked at the latest.
  [[nodiscard]] virtual std::optional<Instant> deadline() const = 0;
  // The callback has returned.
  virtual void on_returned(const Call& call) = 0;

  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

 protected:
  Member() = default;
  ~Member() = default;
};

// A thread inside a call that waits.
struct Waiter {
  std::condition_variable ready{};
  bool done = false;
  std::optional<Error> error{};
  bool watches = false;  // woken whenever something completed, to look for itself
};

// One thread at a time drives: it waits for the descriptor without the lock, then turns the session
// and runs callbacks. The others that wait sleep on their own condition until what they wait for
// came, or until it is their turn to drive; so a single thread that reads needs no switch to
// another one, and a batch of answers wakes exactly the threads that it concerns. With a thread of
// its own the network is always driven by that.
//
// Whoever submits for himself sends at once, under the lock; asynchronous requests leave with the
// next turn, all together.
class Network {
 public:
  using Lock = std::unique_lock<std::mutex>;

  static constexpr std::uint32_t kRequestsMax = 256;

  // Errors: those of Session::open.
  [[nodiscard]] static Result<std::shared_ptr<Network>> open(
      const std::vector<std::string>& interfaces, PortKind port);

  // Over a session that was opened with requests_max of session_requests_max().
  [[nodiscard]] static Result<std::shared_ptr<Network>> over(
      std::unique_ptr<client::Session> session);

  [[nodiscard]] static std::uint32_t session_requests_max();

  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  // Ends the thread. Not from a callback.
  ~Network();

  [[nodiscard]] Lock lock() { return Lock(mutex_); }

  // Everything below needs the lock, except where it says otherwise.

  [[nodiscard]] client::Session& session() { return *session_; }

  // Also without the lock.
  [[nodiscard]] int wait_fd() const { return session_->wait_fd(); }

  void attach(Member& member) { members_.push_back(&member); }

  // Waits until no callback of a member can be running. Not from a callback.
  void detach(Lock& lock, Member& member);

  // The thread that asks is inside a callback.
  [[nodiscard]] bool is_calling() const { return caller_ == std::this_thread::get_id(); }

  [[nodiscard]] bool has_thread() const { return thread_.joinable(); }

  // Errors: busy (no thread left).
  [[nodiscard]] Result<void> start_thread();

  // Slots for requests of all members; false when all are taken.
  [[nodiscard]] bool has_room() const { return requests_ < kRequestsMax; }

  void take_slot() { ++requests_; }

  void give_slot() {
    --requests_;
    completed_ = true;
  }

  // What was submitted shall leave with the next turn.
  void send_soon();

  // The waiter's time has come. It learns that from tell_waiters(), which every turn calls when it
  // is about to leave the lock: who wakes up wants that.
  void finish(Waiter& waiter);
  void tell_waiters();

  // Drives, or lets others drive, until `done` or the deadline. Not from a callback.
  void wait(Lock& lock, Waiter& waiter, const std::function<bool()>& done,
            std::optional<Instant> deadline = std::nullopt);

  // One turn, unless somebody else is driving; returns how many callbacks were run.
  std::size_t process(Lock& lock);

  // How many callbacks were run so far.
  [[nodiscard]] std::uint64_t calls_made() const { return calls_made_; }

 private:
  explicit Network(std::unique_ptr<client::Session> session);

  std::size_t turn(Lock& lock);
  void drive(Lock& lock, std::optional<Instant> deadline);
  void pass_on();
  void run_thread();

  std::unique_ptr<client::Session> session_;

  std::mutex mutex_;  // guards the session and what follows
  std::vector<Member*> members_;
  std::uint32_t requests_ = 0;
  bool driving_ = false;
  std::vector<Call> calls_;   // of the turn that is being made; without the lock: the driver's
  std::thread::id caller_{};  // who is running them
  std::condition_variable returned_;  // they have been run
  std::vector<Waiter*> waiters_;      // oldest first
  std::vector<Waiter*> finished_;     // to be told at the end of the turn
  bool completed_ = false;            // anything, in this turn
  std::uint64_t calls_made_ = 0;
  std::condition_variable thread_may_drive_;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace aoe::libaoe
