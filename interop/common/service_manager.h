// What systemd tells a service.
#pragma once

namespace sluice::interop::common {

// Whether standard error goes to the journal, by JOURNAL_STREAM (systemd.exec(5)).
bool stderr_is_journal();

}  // namespace sluice::interop::common
