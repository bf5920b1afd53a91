// A program of another project: it asks for an error's name and gets the library's own.
#include <sluice/dtls/error.h>

#include <iostream>

int main() {
  const std::string_view name = sluice::dtls::to_string(sluice::dtls::Errc::closed);
  std::cout << "sluice::dtls says: " << name << "\n";
  return name.empty() ? 1 : 0;
}
