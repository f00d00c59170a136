#!/usr/bin/env bats
# What packages install beside the programs.

load lib

UNIT=$BATS_TEST_DIRNAME/../../packaging/systemd/aoe-initiatord.service

@test "systemd finds nothing wrong with the unit of aoe-initiatord" {
  requires systemd-analyze ours:aoe-initiatord
  # The programs are where this build has them.
  sed "s|/usr/bin/aoe-initiatord|$AOE_BIN/aoe-initiatord|" "$UNIT" >"$WORK/aoe-initiatord.service"
  run systemd-analyze verify --man=no --recursive-errors=no "$WORK/aoe-initiatord.service"
  assert_status 0
  assert_lacks "$output" "aoe-initiatord"
}

# aoe-initiatord(8), MEMORY and RESTART.
@test "the unit of aoe-initiatord has what a restart needs, and no mount namespace" {
  grep -qx 'Type=notify' "$UNIT"
  grep -qx 'Restart=always' "$UNIT"
  grep -qx 'FileDescriptorStoreMax=8' "$UNIT"
  grep -qx 'Environment=FDSTORE=8' "$UNIT"
  grep -qx 'KillMode=process' "$UNIT"
  grep -qx 'LimitMEMLOCK=infinity' "$UNIT"
  run grep -E '^(Protect(System|Home|KernelTunables|KernelModules|KernelLogs|ControlGroups|Proc|Clock)|Private(Tmp|Devices|Mounts|Users)|(ReadOnly|ReadWrite|Inaccessible|Exec|NoExec)Paths|Bind(ReadOnly)?Paths|TemporaryFileSystem|MountFlags|RootDirectory|RootImage|ProcSubset|DynamicUser|(State|Runtime|Cache|Logs)Directory)=' "$UNIT"
  assert_status 1
}
