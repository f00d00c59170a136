// One device of the library's user: what stands behind struct aoe_handle.
#pragma once

#include "aoe/aoe.h"
#include "base/result.h"
#include "base/time.h"
#include "client/byte_device.h"
#include "client/uri.h"
#include "libaoe/network.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aoe::libaoe {

// Where the outcome of an asynchronous call goes.
struct Completion {
  const char* name = "";
  aoe_completion callback = nullptr;
  void* user_data = nullptr;
};

// created -> opening -> open, and back to created when the opening fails. Settings and network_ are
// touched by the thread that makes, sets, opens and closes; everything else under the network's
// lock.
class Handle : private Member {
 public:
  struct Settings {
    std::vector<std::string> interfaces;
    client::DeviceOptions device;
  };

  Handle() = default;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  virtual ~Handle();

  // --- before it is open ---

  // Errors: invalid_argument (the handle is open or being opened).
  [[nodiscard]] Result<Settings*> settings();
  [[nodiscard]] Result<void> share_network(Handle& with);

  // Over a session of another kind, for tests.
  void use_network(std::shared_ptr<Network> network) { shared_ = std::move(network); }

  // --- opening and closing ---

  [[nodiscard]] Result<void> open(const std::string& uri);
  [[nodiscard]] Result<void> start_open(const std::string& uri, const Completion& completion);
  [[nodiscard]] Result<void> close();

  // --- requests ---

  [[nodiscard]] Result<void> run(const client::ByteRequest& request);
  [[nodiscard]] Result<void> start(const client::ByteRequest& request,
                                   const Completion& completion);
  [[nodiscard]] Result<int> in_flight();
  [[nodiscard]] Result<void> drain();

  // --- driving ---

  [[nodiscard]] Result<void> start_thread();
  [[nodiscard]] Result<int> wait_fd();
  [[nodiscard]] Result<int> process();
  [[nodiscard]] Result<int> poll(std::optional<Duration> timeout);

  // --- questions ---

  // Calls `ask(const client::ByteDevice&)` with the lock held. Errors: ENOTCONN.
  template <class Ask>
  auto ask(Ask ask) -> Result<decltype(ask(std::declval<const client::ByteDevice&>()))> {
    AOE_TRY(must_have_network());
    const Network::Lock held = network_->lock();
    AOE_TRY(must_be_open());
    return ask(*device_);
  }

  void set_size_callback(aoe_size_callback callback, void* user_data);
  [[nodiscard]] Result<aoe_stats> stats();

 private:
  enum class State : std::uint8_t { created, opening, open };

  struct Opening {
    Instant started;
    std::unique_ptr<client::Device> device;
    Completion completion;     // of start_open()
    Waiter* waiter = nullptr;  // of open()
  };

  // A request between its start and its completion.
  struct Pending {
    Completion completion{};
    Waiter* waiter = nullptr;
    client::IoOp op = client::IoOp::read;
    std::uint64_t bytes = 0;
  };

  [[nodiscard]] Result<void> must_have_network() const;
  [[nodiscard]] Result<void> must_be_open() const;
  [[nodiscard]] Result<void> must_not_be_calling() const;
  [[nodiscard]] Result<void> may_drive() const;
  [[nodiscard]] Result<std::shared_ptr<Network>> make_network(const client::DeviceUri& uri) const;
  [[nodiscard]] Result<Network::Lock> begin_open(const std::string& text);
  [[nodiscard]] Result<void> submit(const client::ByteRequest& request, const Pending& pending);
  void leave_network(Network::Lock& lock);

  void collect(std::vector<Call>& calls) override;
  [[nodiscard]] std::optional<Instant> deadline() const override;
  void on_returned(const Call& call) override;
  void collect_opening(std::vector<Call>& calls);
  void end_opening(std::optional<Error> error, std::vector<Call>& calls);
  void collect_requests(std::vector<Call>& calls);
  void end_request(client::ByteCompletion& done, std::vector<Call>& calls);
  void collect_size(std::vector<Call>& calls);

  Settings settings_;
  std::shared_ptr<Network> shared_;   // to be used by the next open
  std::shared_ptr<Network> network_;  // from the first open on

  // Under the lock of network_.
  State state_ = State::created;
  bool closing_ = false;
  std::optional<Opening> opening_;
  std::unique_ptr<client::ByteDevice> device_;  // while open
  std::vector<Pending> pending_;
  std::vector<std::uint32_t> free_;  // indices of pending_
  int in_flight_ = 0;                // callbacks owed
  aoe_size_callback size_callback_ = nullptr;
  void* size_user_data_ = nullptr;
  std::uint64_t size_told_ = 0;
  aoe_stats counted_{};  // the upper part
};

}  // namespace aoe::libaoe

// NOLINTNEXTLINE(readability-identifier-naming): the name that C programs see
struct aoe_handle final : aoe::libaoe::Handle {};
