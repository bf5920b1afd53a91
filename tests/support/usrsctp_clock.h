// The time that usrsctp reads, in programs that link sluice_test_channels: it measures round trips
// and lifetimes of messages with gettimeofday(), which such a program replaces.
#pragma once

#include <sluice/dtls/clock.h>

namespace sluice::test {

void set_usrsctp_time(dtls::Instant now);

}  // namespace sluice::test
