// A target whose exports execute ATA commands on model disks.
#pragma once

#include "support/target_fixture.h"

namespace aoe::test {

class Executing : public TargetTest {
 protected:
  Executing() = default;

  explicit Executing(const HarnessOptions& options) : TargetTest(options) {}

  ModelDisk& disk() { return t.disk(id()); }

  ExportId id(DeviceAddress address = kE71) { return t.at(address).id; }

  void serve(target::WriteMode mode, DeviceAddress address = kE71) {
    target::ExportSettings settings = TargetHarness::settings(address);
    settings.mode = mode;
    (void)t.serve(settings);
  }

  void serve() { serve(target::WriteMode::write_through); }
};

}  // namespace aoe::test
