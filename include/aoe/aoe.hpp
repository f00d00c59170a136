// libaoe for C++17: owners instead of pointers, exceptions instead of -1, lambdas instead of
// callbacks with a void pointer. Nothing else: what the calls do stands in aoe.h.
#ifndef AOE_AOE_HPP
#define AOE_AOE_HPP

#include "aoe/aoe.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace libaoe {

// A call that failed: what() is the text of aoe_get_error().
class Error : public std::runtime_error {
 public:
  Error() : std::runtime_error(aoe_get_error()), number_(aoe_get_errno()) {}

  // As in errno.h.
  int number() const noexcept { return number_; }

 private:
  int number_;
};

// A handle and its callbacks. Moves; the destructor is aoe_close(), so outstanding requests
// complete with ECANCELED inside it.
//
// `done` of the asynchronous calls is anything that can be called with an int: 0 or an error
// number. It is moved to the heap, called once, and destroyed. It must not throw.
class Device {
 public:
  Device() : handle_(aoe_create()) {
    if (!handle_) {
      throw std::bad_alloc();
    }
  }

  explicit Device(const std::string& uri) : Device() { open(uri); }

  Device(Device&&) = default;

  Device& operator=(Device&& other) noexcept {
    handle_ = std::move(other.handle_);  // closes the old one, which may still call on_size_
    on_size_ = std::move(other.on_size_);
    return *this;
  }

  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  ~Device() = default;

  // The handle, still owned, for calls of aoe.h.
  aoe_handle* get() const noexcept { return handle_.get(); }

  // ---- settings, before open() ----

  void set_interfaces(const std::string& interfaces) {
    check(aoe_set_interfaces(get(), interfaces.c_str()));
  }

  void set_read_only(bool read_only) { check(aoe_set_read_only(get(), read_only ? 1 : 0)); }

  void set_timeout(std::chrono::milliseconds timeout) {
    check(aoe_set_timeout_ms(get(), count_of(timeout)));
  }

  void set_open_timeout(std::chrono::milliseconds timeout) {
    check(aoe_set_open_timeout_ms(get(), count_of(timeout)));
  }

  void set_payload_max(std::uint32_t bytes) { check(aoe_set_payload_max(get(), bytes)); }

  void share_network(const Device& with) { check(aoe_share_network(get(), with.get())); }

  // ---- opening ----

  void open(const std::string& uri) { check(aoe_open(get(), uri.c_str())); }

  template <class Done>
  void aio_open(const std::string& uri, Done&& done) {
    start(std::forward<Done>(done), [&](aoe_completion completion, void* data) {
      return aoe_aio_open(get(), uri.c_str(), completion, data);
    });
  }

  void start_thread() { check(aoe_start_thread(get())); }

  // ---- requests ----

  void pread(void* buffer, std::size_t count, std::uint64_t offset, std::uint32_t flags = 0) {
    check(aoe_pread(get(), buffer, count, offset, flags));
  }

  void pwrite(const void* buffer, std::size_t count, std::uint64_t offset,
              std::uint32_t flags = 0) {
    check(aoe_pwrite(get(), buffer, count, offset, flags));
  }

  void flush(std::uint32_t flags = 0) { check(aoe_flush(get(), flags)); }

  void trim(std::uint64_t count, std::uint64_t offset, std::uint32_t flags = 0) {
    check(aoe_trim(get(), count, offset, flags));
  }

  void zero(std::uint64_t count, std::uint64_t offset, std::uint32_t flags = 0) {
    check(aoe_zero(get(), count, offset, flags));
  }

  template <class Done>
  void aio_pread(void* buffer, std::size_t count, std::uint64_t offset, Done&& done,
                 std::uint32_t flags = 0) {
    start(std::forward<Done>(done), [&](aoe_completion completion, void* data) {
      return aoe_aio_pread(get(), buffer, count, offset, flags, completion, data);
    });
  }

  template <class Done>
  void aio_pwrite(const void* buffer, std::size_t count, std::uint64_t offset, Done&& done,
                  std::uint32_t flags = 0) {
    start(std::forward<Done>(done), [&](aoe_completion completion, void* data) {
      return aoe_aio_pwrite(get(), buffer, count, offset, flags, completion, data);
    });
  }

  template <class Done>
  void aio_flush(Done&& done, std::uint32_t flags = 0) {
    start(std::forward<Done>(done), [&](aoe_completion completion, void* data) {
      return aoe_aio_flush(get(), flags, completion, data);
    });
  }

  template <class Done>
  void aio_trim(std::uint64_t count, std::uint64_t offset, Done&& done, std::uint32_t flags = 0) {
    start(std::forward<Done>(done), [&](aoe_completion completion, void* data) {
      return aoe_aio_trim(get(), count, offset, flags, completion, data);
    });
  }

  template <class Done>
  void aio_zero(std::uint64_t count, std::uint64_t offset, Done&& done, std::uint32_t flags = 0) {
    start(std::forward<Done>(done), [&](aoe_completion completion, void* data) {
      return aoe_aio_zero(get(), count, offset, flags, completion, data);
    });
  }

  int in_flight() const { return check(aoe_in_flight(get())); }

  void drain() { check(aoe_drain(get())); }

  // ---- event loops ----

  int fd() const { return check(aoe_get_fd(get())); }

  int process() { return check(aoe_process(get())); }

  // A negative time waits for ever.
  int poll(std::chrono::milliseconds timeout) {
    return check(aoe_poll(get(), timeout.count() < 0 ? -1 : static_cast<int>(timeout.count())));
  }

  // ---- questions ----

  std::int64_t size() const { return check(aoe_get_size(get())); }

  // `which` is one of AOE_BLOCK_...
  std::int64_t block_size(int which) const { return check(aoe_get_block_size(get(), which)); }

  bool is_up() const { return check(aoe_is_up(get())) != 0; }

  bool is_read_only() const { return check(aoe_is_read_only(get())) != 0; }

  bool can_flush() const { return check(aoe_can_flush(get())) != 0; }

  bool can_fua() const { return check(aoe_can_fua(get())) != 0; }

  bool can_trim() const { return check(aoe_can_trim(get())) != 0; }

  bool can_zero() const { return check(aoe_can_zero(get())) != 0; }

  aoe_identity identity() const {
    aoe_identity identity{};
    check(aoe_get_identity(get(), &identity, sizeof identity));
    return identity;
  }

  aoe_stats stats() const {
    aoe_stats stats{};
    check(aoe_get_stats(get(), &stats, sizeof stats));
    return stats;
  }

  // Calls each(const aoe_path&).
  template <class Each>
  void list_paths(Each&& each) const {
    using Target = std::remove_reference_t<Each>;
    check(aoe_list_paths(
        get(),
        [](void* data, const aoe_path* path) {
          (*static_cast<Target*>(data))(*path);
          return 0;
        },
        std::addressof(each)));
  }

  // Before open(), and while no other thread uses the device. An empty one asks for silence.
  void on_size(std::function<void(std::int64_t)> callback) {
    auto next = std::make_unique<std::function<void(std::int64_t)>>(std::move(callback));
    const bool silent = !*next;
    check(aoe_set_size_callback(
        get(),
        silent ? nullptr
               : +[](void* data,
                     std::int64_t
                         size) { (*static_cast<std::function<void(std::int64_t)>*>(data))(size); },
        next.get()));
    on_size_ = std::move(next);
  }

 private:
  struct Close {
    void operator()(aoe_handle* handle) const noexcept { aoe_close(handle); }
  };

  template <class Number>
  static Number check(Number result) {
    if (result == -1) {
      throw Error();
    }
    return result;
  }

  static std::uint32_t count_of(std::chrono::milliseconds time) {
    return time.count() <= 0            ? 0
           : time.count() >= UINT32_MAX ? UINT32_MAX
                                        : static_cast<std::uint32_t>(time.count());
  }

  // `submit` gets a C callback and its data, and returns what the C call returned.
  template <class Done, class Submit>
  static void start(Done&& done, Submit submit) {
    using Closure = std::decay_t<Done>;
    auto closure = std::make_unique<Closure>(std::forward<Done>(done));
    check(submit(
        [](void* data, int error) {
          const std::unique_ptr<Closure> owned(static_cast<Closure*>(data));
          (*owned)(error);
        },
        closure.get()));
    static_cast<void>(closure.release());  // the callback's now
  }

  std::unique_ptr<std::function<void(std::int64_t)>> on_size_;  // outlives the handle
  std::unique_ptr<aoe_handle, Close> handle_;
};

// Calls each(const aoe_target&). An empty `device` asks for everybody.
template <class Each>
void discover(const std::string& interfaces, const std::string& device,
              std::chrono::milliseconds wait, Each&& each) {
  using Target = std::remove_reference_t<Each>;
  const auto count = wait.count() <= 0 ? 0 : wait.count();
  const int found = aoe_discover(
      interfaces.c_str(), device.empty() ? nullptr : device.c_str(),
      static_cast<std::uint32_t>(count),
      [](void* data, const aoe_target* target) {
        (*static_cast<Target*>(data))(*target);
        return 0;
      },
      std::addressof(each));
  if (found < 0) {
    throw Error();
  }
}

}  // namespace libaoe

#endif
