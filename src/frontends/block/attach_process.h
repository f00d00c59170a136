// The process that makes block devices of files.
#pragma once

#include "base/result.h"
#include "frontends/block/attach_message.h"
#include "frontends/block/attach_work.h"
#include "os/fd.h"

#include <sys/types.h>

#include <memory>
#include <optional>
#include <utility>

namespace aoe::block {

// Who carries commands out, each with one answer, while the caller goes on.
class AttachWorker {
 public:
  AttachWorker() = default;
  AttachWorker(const AttachWorker&) = delete;
  AttachWorker& operator=(const AttachWorker&) = delete;
  virtual ~AttachWorker() = default;

  // Readable when next() has something.
  [[nodiscard]] virtual int wait_fd() const = 0;

  // Every command that was sent has one answer. Errors: unavailable (the worker has ended, or has
  // more commands than it can take).
  [[nodiscard]] virtual Result<void> send(const AttachCommand& command) = 0;

  // nullopt: nothing for now, or, when has_ended(), for ever.
  [[nodiscard]] virtual std::optional<AttachAnswer> next() = 0;

  [[nodiscard]] virtual bool has_ended() const = 0;
};

// A child of the daemon, "aoe-attach", for two reasons: whoever opens a file of the daemon's own
// mount waits for the daemon, which must therefore not do it itself; and it keeps the privileges
// that the daemon gives up. It starts a process for every command, so that a disk that does not
// answer holds up its own commands only, and ends with the daemon.
class AttachProcess final : public AttachWorker {
 public:
  // Call it while the process has one thread, before it opens anything that a child must not have.
  // Errors: io (no process or descriptor left).
  [[nodiscard]] static Result<std::unique_ptr<AttachProcess>> start(Places places);

  AttachProcess(const AttachProcess&) = delete;
  AttachProcess& operator=(const AttachProcess&) = delete;
  // Waits for its end; commands under way go on by themselves.
  ~AttachProcess() override;

  [[nodiscard]] int wait_fd() const override { return socket_.get(); }

  [[nodiscard]] Result<void> send(const AttachCommand& command) override;

  [[nodiscard]] std::optional<AttachAnswer> next() override;

  [[nodiscard]] bool has_ended() const override { return has_ended_; }

 private:
  AttachProcess(os::Fd socket, pid_t pid) : socket_(std::move(socket)), pid_(pid) {}

  os::Fd socket_;
  pid_t pid_;
  bool has_ended_ = false;
};

}  // namespace aoe::block
