// Where aoemon speaks.
#pragma once

#include "compat/console.h"
#include "compat/solaris/monitor_frames.h"

#include <string>

namespace aoe::compat::solaris {

// One line a call. Single thread.
class MonitorLog {
 public:
  MonitorLog() = default;
  MonitorLog(const MonitorLog&) = delete;
  MonitorLog& operator=(const MonitorLog&) = delete;
  virtual ~MonitorLog() = default;

  virtual void say(Severity severity, const std::string& text) = 0;
};

// Facility daemon. One at a time in a process.
class SystemLog final : public MonitorLog {
 public:
  SystemLog();
  SystemLog(const SystemLog&) = delete;
  SystemLog& operator=(const SystemLog&) = delete;
  ~SystemLog() override;

  void say(Severity severity, const std::string& text) override;
};

// "aoemon: notice: text" on standard error.
class ErrorLog final : public MonitorLog {
 public:
  explicit ErrorLog(Console& console) : console_(console) {}

  void say(Severity severity, const std::string& text) override;

 private:
  Console& console_;
};

}  // namespace aoe::compat::solaris
