#!/usr/bin/env bats
# What packages install beside the programs.

load lib

UNITS=$BATS_TEST_DIRNAME/../../packaging/systemd
UNIT=$UNITS/aoe-initiatord.service

@test "systemd finds nothing wrong with the units of the daemons" {
  requires systemd-analyze ours:aoe-initiatord ours:aoe-targetd
  for program in aoe-initiatord aoe-targetd; do
    # The programs are where this build has them.
    sed "s|/usr/bin/$program|$AOE_BIN/$program|" "$UNITS/$program.service" >"$WORK/$program.service"
    run systemd-analyze verify --man=no --recursive-errors=no "$WORK/$program.service"
    assert_status 0
    assert_lacks "$output" "$program"
  done
}

# aoe-targetd(8), RESTARTS.
@test "the unit of aoe-targetd starts it again at once, and keeps what it leaves" {
  grep -qx 'Type=notify' "$UNITS/aoe-targetd.service"
  grep -qx 'Restart=always' "$UNITS/aoe-targetd.service"
  grep -qx 'RestartSec=100ms' "$UNITS/aoe-targetd.service"
  grep -qx 'StateDirectory=aoekit' "$UNITS/aoe-targetd.service"
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
